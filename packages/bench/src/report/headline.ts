// The result of one or more runs in three sentences and a picture, for the README.
import { capitalize, formatBytes, formatFigure, formatInterval } from '../shared/text.js'
import { describeRatio, toBars, type Answer } from './answer.js'
import { describeStep } from './answers.js'
import { findFigure, type Figure, type Report } from './report.js'

type Runs = readonly [Pick<Report, 'scenarios'>, ...Pick<Report, 'scenarios'>[]]

export interface Headline extends Pick<Answer, 'bars'> {
  sentences: string[]
}

const PLUGIN = 'plugin'

/** @param runs - the first one has the figures; the ratio of many calls holds in all of them. @throws Error without the scenario of a plugin */
export function getHeadline(runs: Runs): Headline {
  const [run] = runs
  const find = (path: string): Figure | undefined => findFigure(run, path)
  const plugin = run.scenarios.find(({ id }) => id === PLUGIN)
  if (!plugin) throw new Error(`The results have no scenario "${PLUGIN}". Measure it too.`)
  const findOf = (arm: string, figure: string): Figure | undefined => find(`${PLUGIN}/one/${arm}/${figure}`)
  const [first, ...others] = plugin.arms.filter(({ id }) => id !== plugin.reference)
  const starts = [first!, ...others, ...plugin.arms.filter(({ id }) => id === plugin.reference)]
  const sentences = [describePlugin(findOf), describeMany(runs), describeFormats(run, find)]
  return {
    sentences: sentences.flatMap(sentence => sentence ?? []),
    bars: toBars(starts.map(({ id, title }) => [title, findOf(id, 'ready')])),
  }
}

function describePlugin(find: (arm: string, figure: string) => Figure | undefined): string | undefined {
  const [ready, pss, call] = ['ready', 'pss', 'seldom'].map(figure => find('process-wall', figure))
  if (!ready || !pss || !call) return undefined
  const ratio = describeRatio(call, find('worker', 'seldom'))
  return (
    `A plugin in a walled process is ready after ${formatFigure(ready)}, adds ${formatFigure(pss)} of memory, and answers a call each 20 ms` +
    ` in ${formatFigure(call)}${ratio ? `: ${ratio} the time of a raw Worker` : ''}.`
  )
}

/** Calls in flight together keep threads awake, so that their ratio to a raw MessagePort is alike in all runs. */
function describeMany(runs: Runs): string | undefined {
  const getRatio = (arm: string): string | undefined => {
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

function describeFormats({ scenarios }: Pick<Report, 'scenarios'>, find: (path: string) => Figure | undefined) {
  const size = scenarios.flatMap(({ cases }) => cases).find(({ id }) => id === 'devtools')?.payloadBytes
  const ratio = describeRatio(find('formats/devtools/ring-msgpack/p50'), find('formats/devtools/ring-json/p50'))
  const encryption = describeStep(find, 'isolation-ring-json', 'hook-ring-json')
  const parts = [
    size !== undefined && ratio && `as MessagePack, a document of ${formatBytes(size)} takes ${ratio} the time of JSON`,
    encryption && `encryption adds ${encryption}`,
  ].filter(Boolean)
  return parts.length > 0 ? `${capitalize(parts.join('; '))}.` : undefined
}
