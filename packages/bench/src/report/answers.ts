// What a report answers before its tables: questions, each with a sentence, its figures with their intervals, and bars.
import { capitalize, formatBytes, formatFigure, formatInterval, formatRatio } from '../shared/text.js'
import { estimateRatio } from '../statistics/ratio.js'
import { getAdvice } from './advice.js'
import { describeDifference, describeRatio, toBars, toTime, type Answer, type Bar } from './answer.js'
import { findFigure, type Figure, type Report } from './report.js'

type Scenarios = Pick<Report, 'scenarios'>
type Find = (path: string) => Figure | undefined

/** Answers what the run measured: the questions of everybody, and one for each payload of the user. */
export function getAnswers(report: Scenarios): Answer[] {
  const find: Find = path => findFigure(report, path)
  const general = [
    answerCodec(find, report),
    answerEncryption(find),
    answerHook(find),
    answerSandbox(report),
    answerRing(find),
  ]
  return [
    ...general.flatMap(answer => answer ?? []),
    ...report.scenarios.flatMap(scenario => getAdvice(scenario) ?? []),
  ]
}

const joinParts = (parts: readonly (string | undefined | false)[]): string =>
  capitalize(parts.filter(Boolean).join('; '))

function answerCodec(find: Find, { scenarios }: Scenarios): Answer | undefined {
  const getSize = (id: string): string =>
    formatBytes(scenarios.flatMap(({ cases }) => cases).find(entry => entry.id === id)?.payloadBytes ?? 0)
  const at = (id: string, arm: string): Figure | undefined => find(`documents/${id}/${arm}/p50`)
  const compare = (id: string): string | undefined => {
    const ratio = describeRatio(at(id, 'ring-msgpack'), at(id, 'ring-json'))
    return ratio && `for a document of ${getSize(id)}, MessagePack takes ${ratio} the time of JSON`
  }
  const bytes = describeRatio(at('devtools-bytes', 'ring-json'), at('devtools', 'ring-json'))
  const sentence = joinParts([
    compare('github-pull-request'),
    compare('devtools'),
    bytes && `as bytes that no side parses, the latter takes ${bytes}`,
  ])
  if (sentence === '') return undefined
  const bars = toBars([
    ['JSON-RPC text', at('devtools', 'text')],
    ['JSON, ring', at('devtools', 'ring-json')],
    ['MessagePack, ring', at('devtools', 'ring-msgpack')],
    ['bytes, ring', at('devtools-bytes', 'ring-json')],
  ])
  return { question: 'JSON-RPC or binary?', sentence: `${sentence}.`, bars }
}

/** What an arm of the scenario `isolation` adds to another one, to a figure of both. */
const describeAdded = (find: Find, [inCase, figure]: readonly [string, string], arm: string, before: string) =>
  describeDifference(find(`isolation/${inCase}/${arm}/${figure}`), find(`isolation/${inCase}/${before}/${figure}`))

const MANY = ['64', 'rate'] as const
const ALONE = ['1', 'p50'] as const

/** The same in words: for one of 64 calls in flight, and for a call alone. */
function describeStep(find: Find, arm: string, before: string): string | undefined {
  const [many, alone] = [MANY, ALONE].map(path => describeAdded(find, path, arm, before))
  const parts = [many && `${many} to one of 64 calls in flight`, alone && `${alone} to a call alone`]
  return parts.filter(Boolean).join(', and ') || undefined
}

const toStepBars = (find: Find, arms: readonly [title: string, arm: string][]): Bar[] =>
  toBars(arms.map(([title, arm]) => [title, find(`isolation/64/${arm}/rate`)]))

function answerEncryption(find: Find): Answer | undefined {
  const step = describeStep(find, 'isolation-ring-json', 'hook-ring-json')
  const bars = toStepBars(find, [
    ['hook, plaintext', 'hook-ring-json'],
    ['hook, encrypted', 'isolation-ring-json'],
  ])
  return step === undefined ? undefined : { question: 'What does encryption cost?', sentence: `It adds ${step}.`, bars }
}

function answerHook(find: Find): Answer | undefined {
  const step = describeStep(find, 'hook-ring-json', 'ring-json')
  if (step === undefined) return undefined
  const own = describeAdded(find, MANY, 'hook-ring-json', 'pass-ring-json')
  const bars = toStepBars(find, [
    ['no gate', 'ring-json'],
    ['gate, empty hook', 'pass-ring-json'],
    ['gate, hook', 'hook-ring-json'],
  ])
  const sentence = `A hook in its gate, without encryption, adds ${step}${own ? `; its own code adds ${own} to the former` : ''}.`
  return { question: 'What does the hook cost?', sentence, bars }
}

/** The figures of a call each 20 ms: in the scenario of a plugin, or else in that of few calls. */
const SANDBOXES: readonly [scenario: string, call: string, leftOut: readonly string[]][] = [
  ['plugin', 'seldom', ['fork', 'comlink']],
  ['few-calls', 'p50', ['birpc', 'comlink', 'ring-json', 'port-json', 'isolation-ring-json']],
]

function answerSandbox({ scenarios }: Scenarios): Answer | undefined {
  const [found] = SANDBOXES.flatMap(([id, call, leftOut]) => {
    const scenario = scenarios.find(entry => entry.id === id)
    return scenario ? [{ scenario, call, leftOut }] : []
  })
  if (!found) return undefined
  const { scenario, call, leftOut } = found
  const arms = scenario.arms.filter(({ id }) => !leftOut.includes(id))
  const find = (arm: string, figure: string): Figure | undefined =>
    findFigure({ scenarios: [scenario] }, `${scenario.id}/${scenario.cases[0]!.id}/${arm}/${figure}`)
  const reference = find(scenario.reference, call)
  const parts = arms.flatMap(({ id, title }) => {
    const [ready, ratio] = [find(id, 'ready'), id !== scenario.reference && describeRatio(find(id, call), reference)]
    return ready && ratio ? [`${ratio} in ${title}, ready after ${formatFigure(ready)}`] : []
  })
  if (parts.length === 0 || !reference) return undefined
  const sentence = `A call each 20 ms takes ${formatFigure(reference)} to a raw thread without a sandbox; ${parts.join('; ')}.`
  const bars = toBars(arms.map(({ id, title }) => [title, find(id, call)]))
  return { question: 'What does each sandbox cost?', sentence, bars }
}

const SHAPES: readonly [path: string, title: string][] = [
  ['64/*/rate', '64 calls in flight'],
  ['steady/*/p50', 'calls back to back'],
  ['open-20k/*/p50', '20,000 calls a second'],
  ['sparse/*/p50', 'a call each 4 ms'],
  ['burst/*/p50', '40 calls after a silence'],
]

/** Compares both links of the bus, so that nothing else differs. */
function answerRing(find: Find): Answer | undefined {
  const shapes = SHAPES.flatMap(([path, title]) => {
    const [ring, port] = ['ring-json', 'port-json'].map(arm => find(`shapes/${path.replace('*', arm)}`))
    const estimate = ring && port && estimateRatio(toTime(port).processes, toTime(ring).processes)
    if (!estimate) return []
    const { ratio, interval } = estimate
    const text = `${formatRatio(ratio)} (${formatInterval(interval)})`
    return [{ title, text, value: ratio, interval }]
  })
  if (shapes.length === 0) return undefined
  const list = (wanted: (interval: readonly [number, number]) => boolean): string =>
    shapes
      .filter(({ interval }) => wanted(interval))
      .map(({ title, text }) => `${title} ${text}`)
      .join(', ')
  const [gains, losses] = [list(([low]) => low > 1), list(([, high]) => high < 1)]
  const unclear = list(([low, high]) => low <= 1 && high >= 1)
  const sentence = joinParts([
    gains && `a ring is faster than a port for ${gains}`,
    losses && `slower for ${losses}`,
    unclear && `unclear for ${unclear}`,
  ])
  return { question: 'What do rings gain, and when do they lose?', sentence: `${sentence}.`, bars: shapes }
}
