// What a report answers before its tables: questions, each with a sentence, its figures with their intervals, and bars.
import { capitalize, formatBytes, formatFigure } from '../shared/text.js'
import { getAdvice } from './advice.js'
import { compareFigures, describeDifference, describeRatio, toBars, type Answer, type Comparison } from './answer.js'
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

/** Returns `undefined` if nothing was measured. */
function createAnswer(
  question: string,
  parts: readonly (string | undefined | false)[],
  bars: Answer['bars'],
): Answer | undefined {
  const known = parts.filter(Boolean)
  return known.length > 0 ? { question, sentence: `${capitalize(known.join('; '))}.`, bars } : undefined
}

function answerCodec(find: Find, { scenarios }: Scenarios): Answer | undefined {
  const getSize = (id: string): string =>
    formatBytes(scenarios.flatMap(({ cases }) => cases).find(entry => entry.id === id)?.payloadBytes ?? 0)
  const at = (id: string, arm: string): Figure | undefined => find(`formats/${id}/${arm}/p50`)
  const compare = (id: string): string | undefined => {
    const ratio = describeRatio(at(id, 'ring-msgpack'), at(id, 'ring-json'))
    return ratio && `for a document of ${getSize(id)}, MessagePack takes ${ratio} the time of JSON`
  }
  const bytes = describeRatio(at('devtools', 'bytes-copied'), at('devtools', 'ring-json'))
  const bars = toBars([
    ['JSON-RPC text', at('devtools', 'text')],
    ['JSON, ring', at('devtools', 'ring-json')],
    ['MessagePack, ring', at('devtools', 'ring-msgpack')],
    ['bytes, ring', at('devtools', 'bytes-copied')],
  ])
  const parts = [
    compare('github-pull-request'),
    compare('devtools'),
    bytes && `as bytes that no side parses, the latter takes ${bytes}`,
  ]
  return createAnswer('JSON-RPC or binary?', parts, bars)
}

/** What an arm of the scenario `formats` adds to another one, in words: to one of 64 calls in flight, and to a call alone. */
export function describeStep(find: Find, arm: string, before: string): string | undefined {
  const [many, alone] = ['calls/*/each', 'call/*/p50'].map(path => {
    const [figure, earlier] = [arm, before].map(id => find(`formats/${path.replace('*', id)}`))
    return describeDifference(figure, earlier)
  })
  const parts = [many && `${many} to one of 64 calls in flight`, alone && `${alone} to a call alone`]
  return parts.filter(Boolean).join(', and ') || undefined
}

const toStepBars = (find: Find, arms: readonly [title: string, arm: string][]): Answer['bars'] =>
  toBars(arms.map(([title, arm]) => [title, find(`formats/calls/${arm}/each`)]))

function answerEncryption(find: Find): Answer | undefined {
  const step = describeStep(find, 'isolation-ring-json', 'hook-ring-json')
  const bars = toStepBars(find, [
    ['hook, plaintext', 'hook-ring-json'],
    ['hook, encrypted', 'isolation-ring-json'],
  ])
  return createAnswer('What does encryption cost?', [step && `it adds ${step}`], bars)
}

function answerHook(find: Find): Answer | undefined {
  const step = describeStep(find, 'hook-ring-json', 'ring-json')
  const bars = toStepBars(find, [
    ['no hook', 'ring-json'],
    ['hook in its gate', 'hook-ring-json'],
  ])
  return createAnswer('What does the hook cost?', [step && `a hook in its gate adds ${step}, without encryption`], bars)
}

/** The figures of a call each 20 ms: in the scenario of a plugin, or else in that of few calls. */
const SANDBOXES: readonly [scenario: string, call: string, leftOut: readonly string[]][] = [
  ['plugin', 'seldom', ['fork', 'comlink']],
  ['few-calls', 'p50', ['birpc', 'ring-json', 'port-json', 'isolation-ring-json']],
]

function answerSandbox({ scenarios }: Scenarios): Answer | undefined {
  const [found] = SANDBOXES.flatMap(([id, call, leftOut]) => {
    const scenario = scenarios.find(entry => entry.id === id)
    return scenario ? [{ scenario, call, leftOut }] : []
  })
  if (!found) return undefined
  const { scenario, call, leftOut } = found
  const find = (arm: string, figure: string): Figure | undefined =>
    findFigure({ scenarios: [scenario] }, `${scenario.id}/${scenario.cases[0]!.id}/${arm}/${figure}`)
  const reference = find(scenario.reference, call)
  const sandboxes = scenario.arms.filter(({ id }) => id !== scenario.reference && !leftOut.includes(id))
  const parts = sandboxes.flatMap(({ id, title }) => {
    const [ready, ratio] = [find(id, 'ready'), describeRatio(find(id, call), reference)]
    return ready && ratio ? [`${title} ${ratio}, ready after ${formatFigure(ready)}`] : []
  })
  if (!reference) return undefined
  const begin = `a call each 20 ms takes a thread without a sandbox ${formatFigure(reference)}`
  const bars = toBars([
    ...sandboxes.map(({ id, title }) => [title, find(id, call)] as const),
    ['no sandbox', reference],
  ])
  return createAnswer('What does each sandbox cost?', parts.length > 0 ? [begin, ...parts] : [], bars)
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
    const gain = ring?.better === 'lower' ? compareFigures(port, ring) : compareFigures(ring, port)
    return gain ? [{ title, ...gain }] : []
  })
  const list = (wanted: (range: Comparison['range']) => boolean): string =>
    shapes.flatMap(({ title, text, range }) => (wanted(range) ? `${title} ${text}` : [])).join(', ')
  const [gains, losses, unclear] = [
    list(([low]) => low > 1),
    list(([, high]) => high < 1),
    list(([low, high]) => low <= 1 && high >= 1),
  ]
  const parts = [
    gains && `a ring is faster than a port for ${gains}`,
    losses && `${gains ? '' : 'a ring is '}slower than a port for ${losses}`,
    unclear && `no difference shows for ${unclear}`,
  ]
  const bars = shapes.map(({ title, short, ratio }) => ({ title, value: ratio, text: short }))
  return createAnswer('What do rings gain, and when do they lose?', parts, bars)
}
