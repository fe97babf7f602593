import { expect, test } from 'vitest'
import { failingCall, usualCall } from '../payloads/greet.js'
import { echoOfBytes } from '../payloads/payload.js'
import { checkAnswer, makeReady } from './check.js'
import { FanOut, type FanSeen } from './fan-out.js'
import { BACKEND_EVENT, eachEvent, echo, FAILURE, greet, progress } from './handlers.js'
import { loopsOf } from './loops.js'
import type { Subject } from './subject.js'

/** Both sides in one thread; `change` makes it a worse one. */
function subjectOf(change: Partial<Subject> = {}): Subject {
  const listeners = new Map<string, (payload: unknown) => void>()
  const fan = new FanOut()
  let seen = 0
  const commands: Record<string, (args: never) => unknown> = {
    greet,
    echo,
    burst: ({ count }: { count: number }) => {
      for (let sent = 0; sent < count; sent++) listeners.get(BACKEND_EVENT)?.({})
    },
    burst_each: ({ count, listeners: size }: { count: number; listeners: number }) => {
      for (let sent = 0; sent < count; sent++) listeners.get(eachEvent(sent % size))?.({})
    },
    // The report of a frontend comes with a later turn, when core waits for it.
    fan_out: ({ count, frontends }: { count: number; frontends: number }) =>
      fan.send(count, frontends, (event, payload) => void setImmediate(() => listeners.get(event)?.(payload))),
    seen: () => {
      const before = seen
      seen = 0
      return before
    },
  }
  const nextTurn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))
  return {
    call: async (command, args) => {
      await nextTurn()
      return commands[command]?.(args as never)
    },
    give: async (_, bytes) =>
      structuredClone(bytes, { transfer: [bytes.buffer as ArrayBuffer] }) as Uint8Array<ArrayBuffer>,
    emit: (_, payload) => {
      seen++
      if ((payload as Partial<FanSeen>).burst !== undefined) fan.seen(payload as FanSeen)
    },
    listen: async (event, receive) => {
      listeners.set(event, receive)
      return () => listeners.delete(event)
    },
    stream: async (_, count, receive) => {
      for (let chunk = 0; chunk < count; chunk++) receive(progress(chunk))
      await nextTurn()
    },
    ...change,
  }
}

const calls = usualCall.calls.map(makeReady)

test.each([
  [{ loop: 'calls', ms: 2 }, ['p50', 'p99', 'rate', 'each', 'cpu']],
  [{ loop: 'calls', ms: 2, inFlight: 8 }, ['rate', 'each', 'cpu']],
  [{ loop: 'calls', ms: 2, settleMs: 2, inFlight: 8 }, ['rate', 'each', 'cpu']],
  [{ loop: 'sparse', ms: 2 }, ['p50', 'p99']],
  [{ loop: 'events-in', ms: 2 }, ['rate']],
  [{ loop: 'events-out', ms: 2 }, ['rate']],
  [{ loop: 'stream', ms: 2 }, ['rate']],
  [{ loop: 'listeners', ms: 2, size: 100 }, ['each']],
  [{ loop: 'fan-out', ms: 2, size: 1 }, ['each']],
] as const)('%j gives its figures', async (task, names) => {
  const figures = await loopsOf(subjectOf())(task, calls)
  expect(Object.keys(figures)).toEqual(names)
  for (const value of Object.values(figures)) expect(value).toBeGreaterThan(0)
})

test('a wrong answer fails the measurement', async () => {
  const lies = subjectOf({ call: async () => 'Bye' })
  await expect(async () => loopsOf(lies)({ loop: 'calls', ms: 1 }, calls)).rejects.toThrow(
    '\'greet\' answered "Bye" where "Hello, World!" was expected',
  )
})

test('so does an answer that is wrong only later', async () => {
  let answers = 0
  const tires = subjectOf({ call: async () => (answers++ < calls.length ? 'Hello, World!' : 'Bye') })
  await expect(async () => loopsOf(tires)({ loop: 'calls', ms: 1, inFlight: 4 }, calls)).rejects.toThrow('Bye')
})

test('a call that has to fail fails with its own error, and with no answer', async () => {
  const failing = failingCall.calls.map(makeReady)
  const throws = (message: string): Subject => subjectOf({ call: () => Promise.reject(new Error(message)) })
  expect(Object.keys(await loopsOf(throws(FAILURE))({ loop: 'calls', ms: 1, inFlight: 4 }, failing))).toContain('rate')
  await expect(async () => loopsOf(throws('other'))({ loop: 'calls', ms: 1 }, failing)).rejects.toThrow('"other" where')
  await expect(async () => loopsOf(subjectOf())({ loop: 'calls', ms: 1 }, failing)).rejects.toThrow(
    'where it had to fail',
  )
})

test('a message that is lost or overtaken fails the measurement', async () => {
  const loses = subjectOf({ emit: () => {} })
  await expect(async () => loopsOf(loses)({ loop: 'events-out', ms: 1 }, calls)).rejects.toThrow(/0 of \d+ messages/)
  const swaps = subjectOf({
    stream: async (_, count, receive) => {
      for (let chunk = count - 1; chunk >= 0; chunk--) receive(progress(chunk))
    },
  })
  await expect(async () => loopsOf(swaps)({ loop: 'stream', ms: 1 }, calls)).rejects.toThrow(
    /messages arrived in order/,
  )
})

test('bytes have to be given away, and to come back as they were', async () => {
  const bytes = echoOfBytes('bytes', '', ['some text']).calls.map(makeReady)
  const giving = { loop: 'giving', ms: 1 } as const
  expect(Object.keys(await loopsOf(subjectOf())(giving, bytes))).toEqual(['p50', 'p99', 'rate'])
  const copies = subjectOf({ give: async (_, given) => Uint8Array.from(given) })
  await expect(async () => loopsOf(copies)(giving, bytes)).rejects.toThrow('copied, and not given away')
  const changes = subjectOf({
    give: async (_, given) => {
      structuredClone(given, { transfer: [given.buffer as ArrayBuffer] })
      return new Uint8Array(3)
    },
  })
  await expect(async () => loopsOf(changes)(giving, bytes)).rejects.toThrow('was expected')
})

test('an event that one of many listeners or frontends misses fails the measurement', async () => {
  let calls = 0
  const forgets = subjectOf()
  const deaf: Subject = {
    ...forgets,
    listen: (event, receive) => forgets.listen(event, payload => ++calls % 7 !== 0 && receive(payload)),
  }
  await expect(async () => loopsOf(deaf)({ loop: 'listeners', ms: 1, size: 10 }, [])).rejects.toThrow(/of \d+ messages/)
})

test('a loop that this arm can’t run', () => {
  expect(() => loopsOf(subjectOf())({ loop: 'codec', ms: 1 }, calls)).toThrow("no loop 'codec'")
})

test('bytes have to come back as bytes, in whichever form', () => {
  const call = makeReady({ command: 'echo_bytes', args: [1], expected: [1], bytes: true })
  const bytes = call.args as Uint8Array
  expect(() => checkAnswer(call, bytes)).not.toThrow()
  expect(() => checkAnswer(call, bytes.buffer)).not.toThrow()
  expect(() => checkAnswer(call, [1])).toThrow('was expected')
  expect(() => checkAnswer(makeReady({ ...call, expected: [1], bytes: false }), bytes)).toThrow('was expected')
})
