import { BusError } from '@sallyport/protocol/internal/errors'
import { expect, test } from 'vitest'
import { CallWatch } from './calls.js'
import { readCurrentCall } from './contract/call-report.js'

const known = (): boolean => true
const pass = (): undefined => undefined

test('counts calls by command and caller, those with most calls first', () => {
  const watch = new CallWatch()
  for (const label of ['editor', 'importer', 'importer']) watch.getCaller(label).run({}, 'parse', {}, known, pass)
  watch.getCaller('importer').addFailure('parse', 'CommandFailed')
  const { commands } = watch.report([{ call: {}, command: 'parse', label: 'editor', isLongLived: false }])
  expect(commands).toEqual([
    {
      ...{ command: 'parse', calls: 3, failures: { CommandFailed: 1 }, p99: 0, inFlight: 1 },
      oldest: { label: 'editor', ms: 0 },
      callers: [
        { label: 'importer', calls: 2, failures: { CommandFailed: 1 }, inFlight: 0 },
        { label: 'editor', calls: 1, failures: {}, inFlight: 1 },
      ],
      moreCallers: 0,
    },
  ])
})

test('a call that nobody waits for is in flight, and not the oldest that somebody waits for', () => {
  const call = { abortReason: new BusError('Timeout', 'too slow') }
  const [command] = new CallWatch().report([{ call, command: 'parse', label: 'editor', isLongLived: false }]).commands
  expect(command).toMatchObject({ inFlight: 1 })
  expect(command).not.toHaveProperty('oldest')
})

test('a stream is in flight, and never late', () => {
  const [command] = new CallWatch().report([{ call: {}, command: 'ticks', label: 'main', isLongLived: true }]).commands
  expect(command).toMatchObject({ inFlight: 1 })
  expect(command).not.toHaveProperty('oldest')
})

test('counts commands that are not registered together, whatever their callers name', () => {
  const watch = new CallWatch()
  for (let i = 0; i < 1000; i++) {
    watch.getCaller('main').run({}, `no-${i}`, {}, () => false, pass)
    watch.getCaller('main').addFailure(`no-${i}`, 'MethodNotFound')
  }
  expect(watch.report([]).commands).toMatchObject([
    { command: '(others)', calls: 1000, failures: { MethodNotFound: 1000 } },
  ])
})

test('records a call when it begins and when it ends, with its outcome', async () => {
  const watch = new CallWatch()
  watch.getCaller('main').run({}, 'read', {}, known, pass)
  let end!: (error: BusError | undefined) => void
  watch.getCaller('main').run({}, 'wait', {}, known, () => new Promise(resolve => (end = resolve)))
  const first = watch.report([]).calls
  expect(first).toMatchObject([
    { id: 1, label: 'main', command: 'read', outcome: 'ok' },
    { id: 2, label: 'main', command: 'wait' },
  ])
  expect(first[0]!.ms).toBeGreaterThanOrEqual(0)
  expect(first[1]).not.toHaveProperty('outcome')
  end(new BusError('Cancelled', 'cancelled'))
  await Promise.resolve()
  expect(watch.report([]).calls).toMatchObject([{ id: 1 }, { id: 2, outcome: 'Cancelled' }])
  expect(watch.report([]).calls, 'one can have been lost').toMatchObject([{ id: 2, outcome: 'Cancelled' }])
  expect(watch.report([]).calls).toEqual([])
})

test('records how large the result of a call is, and nothing of it', () => {
  const watch = new CallWatch()
  const caller = watch.getCaller('main')
  const call = {}
  caller.run(call, 'load', {}, known, () => {
    caller.addAnswer(call, { text: 'x'.repeat(5000) })
    return undefined
  })
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  caller.run(proxy, 'load', {}, known, () => {
    caller.addAnswer(proxy, proxy)
    return undefined
  })
  // Of a call that is not recorded.
  caller.addAnswer({}, 'y')
  const [record, throwing] = watch.report([]).calls
  expect(throwing).not.toHaveProperty('answerSize')
  expect(record!.answerSize).toBeGreaterThanOrEqual(5000)
  expect(JSON.stringify(record)).not.toContain('xx')
})

test('records how large the arguments of a call are, and nothing of them', () => {
  const watch = new CallWatch()
  watch.getCaller('main').run({}, 'save', { text: 'x'.repeat(5000) }, known, pass)
  const [call] = watch.report([]).calls
  expect(call!.size).toBeGreaterThanOrEqual(5000)
  expect(call!.size).toBeLessThan(5100)
  expect(JSON.stringify(call)).not.toContain('xx')
})

test('records fifty calls from one report to the next, and counts the others', () => {
  const watch = new CallWatch()
  for (let i = 0; i < 1000; i++) watch.getCaller('main').run({}, 'read', {}, known, pass)
  const { calls, commands } = watch.report([])
  expect([calls.length, commands[0]!.calls]).toEqual([50, 1000])
  watch.report([])
  watch.getCaller('main').run({}, 'read', {}, known, pass)
  expect(watch.report([]).calls.length).toBe(1)
})

test('records calls of each caller, although another one floods', () => {
  const watch = new CallWatch()
  for (let i = 0; i < 1000; i++) watch.getCaller('flood').run({}, 'read', {}, known, pass)
  for (let i = 0; i < 1000; i++) watch.getCaller(`frontend-${i}`).run({}, 'read', {}, known, pass)
  const labels = watch.report([]).calls.map(({ label }) => label)
  expect([labels.length, labels.indexOf('frontend-0')]).toEqual([500, 50])
})

test('reports at most a thousand callers, with the number of the others', () => {
  const watch = new CallWatch()
  for (let i = 0; i < 5000; i++) watch.getCaller(`frontend-${i}`).run({}, 'read', {}, known, pass)
  const [read] = watch.report([]).commands
  // Labels beyond 2000 are counted together.
  expect([read!.calls, read!.callers.length, read!.moreCallers]).toEqual([5000, 1000, 1001])
  expect(read!.callers[0]).toMatchObject({ label: '(others)', calls: 3000 })
})

test('shares the name of the call whose handler runs', () => {
  const watch = new CallWatch()
  const { memory } = watch.current
  const seen: unknown[] = []
  watch.getCaller('a "label"').run({}, 'read', {}, known, () => void seen.push(readCurrentCall(memory)))
  expect(seen).toEqual([{ label: 'a "label"', command: 'read' }])
  expect(readCurrentCall(memory)).toBeUndefined()
})

test('cuts long names, and finds no more than 256', () => {
  const { current } = new CallWatch()
  current.enter(current.addName('main', 'x'.repeat(10_000)))
  expect(readCurrentCall(current.memory)).toEqual({ label: 'main', command: 'x'.repeat(505) })
  for (let i = 0; i < 1000; i++) current.enter(current.addName('main', `c${i}`))
  expect(readCurrentCall(current.memory)).toBeUndefined()
})
