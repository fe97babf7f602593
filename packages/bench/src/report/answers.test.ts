import { expect, test } from 'vitest'
import { getScenario, noisySample, sampleReport } from '../../test/sample-report.js'
import type { Outcome } from '../run/run.js'
import { PAYLOAD_PREFIX } from './advice.js'
import { describeDifference, describeRatio, type Answer } from './answer.js'
import { getAnswers } from './answers.js'
import type { Figure } from './report.js'

const getAnswer = (question: string, answers: readonly Answer[] = getAnswers(noisySample())): Answer =>
  answers.find(answer => answer.question === question)!

const toFigure = (...rounds: number[]): Figure => ({
  ...{ id: 'p50', title: 'p50', unit: 'µs', better: 'lower', ratio: null, interval: null },
  ...{ median: rounds[0]!, processes: [rounds] },
})

test('a run of the main scenarios answers five questions, each with a number, an interval and bars', () => {
  const answers = getAnswers(noisySample())
  expect(answers.map(({ question }) => question)).toEqual([
    'JSON-RPC or binary?',
    'What does encryption cost?',
    'What does the hook cost?',
    'What does each sandbox cost?',
    'What do rings gain, and when do they lose?',
  ])
  for (const { sentence, bars } of answers) {
    expect(sentence).toMatch(/\d(×| [µm]s).*\([\d.]+–[\d.]+(×| [µm]s)\).*\.$/)
    expect(bars.length).toBeGreaterThan(1)
    for (const { value } of bars) expect(value).toBeGreaterThan(0)
  }
})

test('the codec is compared by documents of several sizes, and as bytes', () => {
  const { sentence } = getAnswer('JSON-RPC or binary?', getAnswers(sampleReport()))
  expect(sentence).toMatch(/^For a document of 23\.7 KiB, MessagePack takes 0\.58× \(0\.50–0\.67×\) the time of JSON; /)
  expect(sentence).toContain('as bytes that no side parses, the latter takes 1.83×')
})

test('encryption and the hook are differences between two arms', () => {
  const answers = getAnswers(sampleReport())
  // A call takes 40 µs, multiplied by 0.5 (ring), 2 (hook) and 2.5 (cipher).
  expect(getAnswer('What does encryption cost?', answers).sentence).toMatch(
    / and 20\.0 µs \(20 µs\) to a call alone\.$/,
  )
  expect(getAnswer('What does the hook cost?', answers).sentence).toMatch(
    / and 60\.0 µs \(60 µs\) to a call alone, without encryption\.$/,
  )
})

test('rings are compared with ports, and named where they gain and where that is unclear', () => {
  const { sentence, bars } = getAnswer('What do rings gain, and when do they lose?', getAnswers(sampleReport()))
  expect(sentence).toMatch(/^A ring is faster than a port for 64 calls in flight 2\.50× /)
  expect(sentence).not.toMatch(/slower|no difference/)
  expect(bars[0]).toMatchObject({ title: '64 calls in flight', text: '2.50×' })
})

test('sandboxes are compared by the scenario of a plugin, if it was measured', () => {
  const both = [getScenario('few-calls'), getScenario('plugin')]
  const few = getAnswer('What does each sandbox cost?', getAnswers(sampleReport(undefined, both.slice(0, 1))))
  const plugin = getAnswer('What does each sandbox cost?', getAnswers(sampleReport(undefined, both)))
  expect(few.bars.map(({ title }) => title)).not.toContain('MCP, wall')
  expect(plugin.bars.map(({ title }) => title)).toContain('MCP, wall')
  for (const { bars } of [few, plugin]) expect(bars[0]!.title).toBe('process, wall')
})

test('has no answer to what was not measured', () => {
  expect(getAnswers(sampleReport(undefined, [getScenario('channel')]))).toEqual([])
})

test('a payload is advised the fastest transport that delivers a value, with the cost of the others', () => {
  const formats = getScenario('formats')
  const document = formats.cases.find(({ id }) => id === 'github-pull-request')!
  const scenario = { ...formats, id: `${PAYLOAD_PREFIX}order`, title: 'order.json, 23.7 KiB', cases: [document] }
  const [advice, ...others] = getAnswers(sampleReport(undefined, [scenario]))
  expect(others).toEqual([])
  expect(advice!.question).toBe('How to send order.json, 23.7 KiB?')
  expect(advice!.sentence).toMatch(
    /^Your order\.json \([\d.]+ KiB\) is fastest as ring msgpack: 15\.0 µs there and back; against it, /,
  )
  expect(advice!.sentence).toMatch(/ring JSON 1\.\d+× \(/)
  expect(advice!.sentence).toMatch(/; without Sallyport, over a MessagePort: structured clone /)
  expect(advice!.bars.map(({ title }) => title)).toEqual(scenario.arms.map(({ title }) => title))
})

test('a payload is never advised a transport that Sallyport does not have, even if it is the fastest', () => {
  const formats = getScenario('formats')
  const scenario = {
    ...formats,
    id: `${PAYLOAD_PREFIX}order`,
    title: 'order.json, 23.7 KiB',
    cases: formats.cases.slice(0, 1),
  }
  const fast = (outcomes: Outcome[]): Outcome[] => {
    const cells = outcomes.flatMap(outcome => outcome.cells).filter(({ arm }) => ['raw', 'text'].includes(arm.id))
    for (const { processes } of cells) for (const round of processes.flat()) round['p50'] = 1
    return outcomes
  }
  const [advice] = getAnswers(sampleReport(fast, [scenario]))
  expect(advice!.sentence).toMatch(/ is fastest as ring (msgpack|JSON): /)
  expect(advice!.sentence).toMatch(/; without Sallyport, over a MessagePort: structured clone 0\.\d+×/)
})

test('a ratio whose interval contains 1 is about 1', () => {
  expect(describeRatio(toFigure(10, 20, 10, 20), toFigure(15, 15, 15, 15))).toMatch(/^about 1× \(0\.67–1\.33×\)$/)
  expect(describeRatio(toFigure(30, 31), toFigure(15, 15))).toMatch(/^2\.03× \(/)
  expect(describeRatio(undefined, toFigure(1))).toBeUndefined()
})

test('a difference that cannot be told from zero has an upper bound', () => {
  expect(describeDifference(toFigure(10, 20), toFigure(15, 15))).toBe('at most 5.00 µs')
  expect(describeDifference(toFigure(10, 12), toFigure(15, 15))).toBe('nothing')
  expect(describeDifference(toFigure(30, 32), toFigure(15, 15))).toBe('16.0 µs (15–17 µs)')
})

/** A run in which an arm has two levels. */
const withLevels =
  (...arms: string[]) =>
  (outcomes: Outcome[]): Outcome[] => {
    for (const { arm, processes } of outcomes.flatMap(({ cells }) => cells)) {
      const [round] = processes[0]!
      const slow = Object.fromEntries(Object.entries(round!).map(([id, value]) => [id, 4 * value]))
      const other = arms.includes(arm.id) ? slow : round!
      processes.splice(0, processes.length, [round!, other, round!, other])
    }
    return outcomes
  }

test('a bimodal figure is compared as a range, and has a range in the picture', () => {
  const answers = getAnswers(sampleReport(withLevels('ring-json', 'hook-ring-json')))
  const codec = getAnswer('JSON-RPC or binary?', answers)
  expect(codec.sentence).toMatch(/ MessagePack takes 0\.13–0\.50× \(from round to round\) the time of JSON; /)
  expect(codec.bars.find(({ title }) => title === 'JSON, ring')?.text).toBe('20–80 µs')
  expect(getAnswer('What does encryption cost?', answers).sentence).toBe(
    'It adds at most 1.00 µs to one of 64 calls in flight, and at most 20.0 µs to a call alone.',
  )
  const ring = getAnswer('What do rings gain, and when do they lose?', answers)
  expect(ring.sentence).toMatch(/^A ring is faster than a port for 64 calls in flight 2\.50–10\.0× \(from round to round\); no difference shows for calls back to back /) // prettier-ignore
  expect(ring.bars[0]).toMatchObject({ title: '64 calls in flight', text: '2.50–10.0×' })
})
