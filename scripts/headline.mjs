// The result of one or more runs in three sentences and a picture, for README, home page and the page of results.
import { describeRatio, toBars } from '../packages/bench/dist/report/answer.js'
import { describeStep } from '../packages/bench/dist/report/answers.js'
import { findFigure } from '../packages/bench/dist/report/report.js'
import { capitalize, formatBytes, formatFigure, formatInterval } from '../packages/bench/dist/shared/text.js'

const PLUGIN = 'plugin'

/**
 * @param {import('@sallyport/bench').Report[]} runs - the first one has the figures; the ratio of many calls holds in all of them
 * @returns {{ sentences: string[], bars: { title: string, value: number, text: string }[] }}
 * @throws Error without the scenario of a plugin
 */
export function getHeadline(runs) {
  const [run] = runs
  const find = path => findFigure(run, path)
  const plugin = run.scenarios.find(({ id }) => id === PLUGIN)
  if (!plugin) throw new Error(`The results have no scenario "${PLUGIN}". Measure it too.`)
  const findOf = (arm, figure) => find(`${PLUGIN}/one/${arm}/${figure}`)
  const isReference = ({ id }) => id === plugin.reference
  const starts = [...plugin.arms.filter(arm => !isReference(arm)), ...plugin.arms.filter(isReference)]
  return {
    sentences: [describePlugin(findOf), describeMany(runs), describeFormats(run, find)].filter(Boolean),
    bars: toBars(starts.map(({ id, title }) => [title, findOf(id, 'ready')])),
  }
}

function describePlugin(find) {
  const [ready, pss, call] = ['ready', 'pss', 'seldom'].map(figure => find('process-wall', figure))
  if (!ready || !pss || !call) return undefined
  const ratio = describeRatio(call, find('worker', 'seldom'))
  return (
    `A plugin in a walled process is ready after ${formatFigure(ready)}, adds ${formatFigure(pss)} of memory, and answers a call each 20 ms` +
    ` in ${formatFigure(call)}${ratio ? `: ${ratio} the time of a raw Worker` : ''}.`
  )
}

/** Calls in flight together keep threads awake, so that their ratio to a raw MessagePort is alike in all runs. */
function describeMany(runs) {
  const getRatio = arm => {
    const ends = runs.flatMap(run => {
      const [figure, raw] = [arm, 'raw'].map(id => findFigure(run, `shapes/64/${id}/rate`))
      return figure && !figure.bimodal && !raw?.bimodal ? (figure.interval ?? []) : []
    })
    return ends.length > 0 ? formatInterval([Math.min(...ends), Math.max(...ends)]) : undefined
  }
  const [ring, isolated] = [getRatio('ring-json'), getRatio('isolation-ring-json')]
  if (ring === undefined) return undefined
  return `With 64 calls in flight, a ring has ${ring} the rate of a raw MessagePort${isolated ? `, and ${isolated} with a hook and encryption` : ''}.`
}

function describeFormats({ scenarios }, find) {
  const size = scenarios.flatMap(({ cases }) => cases).find(({ id }) => id === 'devtools')?.payloadBytes
  const ratio = describeRatio(find('formats/devtools/ring-msgpack/p50'), find('formats/devtools/ring-json/p50'))
  const encryption = describeStep(find, 'isolation-ring-json', 'hook-ring-json')
  const parts = [
    size !== undefined && ratio && `as MessagePack, a document of ${formatBytes(size)} takes ${ratio} the time of JSON`,
    encryption && `encryption adds ${encryption}`,
  ].filter(Boolean)
  return parts.length > 0 ? `${capitalize(parts.join('; '))}.` : undefined
}
