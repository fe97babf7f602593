// The result of a run in a sentence and a table, for README, home page and the page of results.
import { Cells, describeDifference, getDifference } from '../packages/bench/dist/report/answers.js'
import { findFigure } from '../packages/bench/dist/report/report.js'
import { formatFigure, formatRatio } from '../packages/bench/dist/shared/text.js'

const PLUGIN = 'plugin'

/** The compared plugins by their arms. */
const PLUGINS = {
  'process-wall': 'walled process',
  'process-wall-gates': 'wall and gate',
  permission: 'permission',
  quickjs: 'script',
  fork: 'raw fork',
  worker: 'raw Worker',
}
const FIGURES = { ready: 'start', pss: 'memory', seldom: 'a call every 20 ms' }

/**
 * @param {import('@sallyport/bench').Report} run
 * @returns {{ sentence: string, table: string[][] }} the table begins with its heads, and is sorted by the start
 * @throws Error without the scenario of a plugin
 */
export function getHeadline(run) {
  const find = path => findFigure(run, path)
  if (!run.scenarios.some(({ id }) => id === PLUGIN))
    throw new Error(`The results have no scenario "${PLUGIN}". Measure it too.`)
  const rows = Object.entries(PLUGINS)
    .map(([arm, name]) => [name, ...Object.keys(FIGURES).map(figure => find(`${PLUGIN}/one/${arm}/${figure}`))])
    .filter(([, ...figures]) => figures.every(Boolean))
    .toSorted(([, a], [, b]) => a.median - b.median)
    .map(([name, ...figures]) => [name, ...figures.map(formatFigure)])
  const sentence = [describePlugin(rows), describeFormats(find, new Cells(run))].filter(Boolean).join(' ')
  return { sentence, table: [['plugin', ...Object.values(FIGURES)], ...rows] }
}

function describePlugin(rows) {
  const [, ready, memory, call] = rows.find(([name]) => name === PLUGINS['process-wall']) ?? []
  return (
    ready &&
    `A plugin in a walled process is ready after ${ready}, adds ${memory} of memory, and answers a call in ${call}.`
  )
}

function describeFormats(find, cells) {
  const [msgpack, hook, isolated] = ['ring-msgpack', 'hook-ring-json', 'isolation-ring-json'].map(arm =>
    find(`formats/call-many/${arm}/cpu`),
  )
  const difference = getDifference(isolated, hook)
  if (!msgpack || !difference) return undefined
  const verb = difference.isMeasurable ? 'adds' : 'is'
  const isTold = ['faster', 'slower'].includes(cells.judge(msgpack))
  const format = isTold
    ? `MessagePack takes ${formatRatio(msgpack.ratio)} the CPU time of JSON-RPC`
    : 'no difference between MessagePack and JSON-RPC can be told'
  return `Of a call of 100 bytes, ${format}, and encryption ${verb} ${describeDifference(difference)}.`
}
