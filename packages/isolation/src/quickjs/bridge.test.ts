import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { BusError } from '@sallyport/protocol/internal/errors'
import * as fc from 'fast-check'
import { afterEach, expect, test, vi } from 'vitest'
import { forged } from '../../test/forged.js'
import { Bridge, type BridgeState } from './bridge.js'
import type { CrossedError } from './values.js'

type Run = (args: unknown, ctx: { signal: AbortSignal }) => Promise<unknown>

afterEach(() => {
  vi.useRealTimers()
})

const tick = (): Promise<void> => new Promise(setImmediate)

const MAX_BYTES = 8 * 2 ** 20
const MAX_HELD = 16_384

/** A channel that nothing is sent on. */
class Channel {
  static lastId = 0
  readonly id = ++Channel.lastId
  onmessage: unknown
  onend: (() => void) | undefined
  close(): void {
    this.onend?.()
  }
  [Symbol.asyncIterator]() {
    return { next: () => new Promise(() => {}), return: async () => ({ done: true }) }
  }
}

/** A bridge whose client refuses events with a space, and whose calls of `ask` are interrupted. */
function createBridge(onDelivered: (text: string, bridge: Bridge) => void = () => {}) {
  const exposed = new Map<string, Run>()
  const invoked: string[] = []
  const signals: AbortSignal[] = []
  const delivered: string[] = []
  const states: BridgeState[] = []
  const ends: (() => void)[] = []
  const awaited: unknown[] = []
  const uncaught = vi.fn<(error: CrossedError) => void>()
  const controller = new AbortController()
  const functions = {
    getLabel: () => 'main',
    expose(added: Record<string, Run>) {
      for (const [name, run] of Object.entries(added)) exposed.set(name, run)
      return () => void Object.keys(added).map(name => exposed.delete(name))
    },
    async listen(event: string) {
      if (event.includes(' ')) throw new BusError('InvalidParams', 'refused')
      return () => {}
    },
    async invoke(command: string, _args?: unknown, options?: { signal?: AbortSignal }) {
      invoked.push(command)
      if (options?.signal) signals.push(options.signal)
      if (command === 'wait') await new Promise(() => {})
      if (command === 'later') await new Promise<void>(resolve => void ends.push(resolve))
      if (command === 'ask') throw new BusError('Interrupted', 'interrupted', { data: 'token' })
    },
    stream(_command: string, options?: { signal?: AbortSignal }) {
      if (options?.signal) signals.push(options.signal)
      return { next: async () => ({ done: true, value: undefined }) }
    },
    emit: async () => {},
    emitTo: async () => {},
    once(...args: unknown[]) {
      awaited.push(args)
      return new Promise(() => {})
    },
    Channel,
    BusError,
  }
  const bridge = new Bridge({
    functions: functions as never,
    thread: { print: () => {} },
    body: undefined,
    codec: 'json',
    maxBytes: MAX_BYTES,
    explain: ({ message }) => message,
    maxResultBytes: 10,
    network: undefined,
    deliver(text) {
      delivered.push(text)
      onDelivered(text, bridge)
    },
    loaded: () => {},
    loadFailed: () => {},
    uncaught,
    findLimit: () => false,
    suspended: state => void states.push(state),
  })
  const run = (name: string, args: unknown = {}): Promise<unknown> =>
    exposed.get(name)!(args, { signal: controller.signal })
  const call = (name: string, args: unknown = {}): void => void run(name, args).catch(() => {})
  const receive = (operation: string, id: number, value: unknown): unknown =>
    bridge.receive(`${operation} ${id} ${JSON.stringify(value)}`, [])
  return {
    bridge,
    exposed,
    invoked,
    signals,
    delivered,
    states,
    ends,
    awaited,
    uncaught,
    controller,
    run,
    call,
    receive,
  }
}

const toSignal = (id: number): object => ({ $: 'signal', id })

test('a script that uses a signal of its own for each call and each stream uses any number of them', async () => {
  const { delivered, signals, receive } = createBridge()
  for (let id = 1; id <= 140_000; id += 2) {
    receive('invoke', id, ['greet', {}, { signal: toSignal(id) }])
    receive('open', id + 1, ['count', { signal: toSignal(id + 1) }])
    receive('return', id + 1, null)
    // A message that begins nothing.
    receive('print', 0, ['stdout', toSignal(-id)])
    if (id % 1000 === 1) await tick()
  }
  await tick()
  expect(signals).toHaveLength(140_000)
  expect(delivered.filter(text => !text.startsWith('settle'))).toEqual([])
})

test('a script cannot use more signals at once than the bound', () => {
  const { receive } = createBridge()
  const beyond = Array.from({ length: MAX_HELD + 1 }, (_, id) => toSignal(id))
  expect(() => receive('print', 0, ['stdout', beyond])).toThrow(`${MAX_HELD} signals`)
})

test('a signal of several calls aborts those that have not ended', async () => {
  const { signals, receive } = createBridge()
  receive('invoke', 1, ['greet', {}, { signal: toSignal(7) }])
  receive('invoke', 2, ['wait', {}, { signal: toSignal(7) }])
  await tick()
  receive('abort', 7, { name: 'TimeoutError', message: 'late' })
  receive('abort', 8, { message: 'unknown' })
  expect(signals.map(signal => signal.aborted)).toEqual([true, true])
  expect(String(signals[1]!.reason)).toBe('TimeoutError: late')
})

/** The state of a script that has done nothing but a call, which was interrupted. */
const idle: BridgeState = {
  lastId: -1,
  run: -1,
  interrupted: [[1, 'first']],
  held: [],
  listeners: [],
  waits: [],
  ended: [],
  closed: [],
  pushed: [],
  timers: [],
  exposed: ['bus.run'],
}

test('of what an interrupted script listens to, the event and the target of accepted listeners are kept', async () => {
  const { states, call, receive } = createBridge()
  receive('expose', 0, ['bus.run'])
  call('bus.run')
  receive('listen', 1, [
    10,
    'news',
    { target: { kind: 'AnyLabel', label: 'a', more: 'more' }, timeout: 60_000, more: 'more' },
  ])
  receive('listen', 2, [11, 'a refused one'])
  receive('listen', 3, [12, 'gone'])
  receive('listen', 4, [13, 'plain'])
  await tick()
  receive('unlisten', 12, null)
  receive('invoke', 5, ['ask'])
  await tick()
  const kept = [
    [10, 'news', { kind: 'AnyLabel', label: 'a' }],
    [13, 'plain', null],
  ]
  expect(states.map(({ listeners }) => listeners)).toEqual([kept])
})

test('of the message with which a script waits for an event, only what the client reads is kept, and the wait goes on', async () => {
  const interrupted = createBridge()
  interrupted.receive('expose', 0, ['bus.run'])
  interrupted.call('bus.run')
  const options = { target: { kind: 'AnyLabel', label: 'a' }, timeout: 60_000, signal: toSignal(7) }
  const junk = { target: { ...options.target, junk: 1 }, signal: { ...options.signal, junk: 1 } }
  interrupted.receive('once', 1, ['news', { ...options, ...junk }, 'junk'])
  interrupted.receive('invoke', 2, ['ask'])
  await tick()
  expect(interrupted.awaited).toMatchObject([['news', { target: { kind: 'AnyLabel', label: 'a' } }]])
  const [state] = interrupted.states
  expect(state!.waits).toEqual([[`once 1 ${JSON.stringify(['news', options])}`]])
  const { bridge, call, awaited } = createBridge()
  bridge.restore(state!)
  call('bus.run', { value: 1 })
  expect(awaited).toEqual([['news', { ...options, signal: expect.any(AbortSignal) as unknown }]])
})

type Message = readonly [operation: string, id: number, value: unknown]

/** A message of each kind that begins something. */
const createMessages = (id: number, junk?: unknown): Message[] => [
  ['invoke', id, ['wait', { junk }]],
  ['emit', id, ['news', { junk }]],
  ['emitTo', id, ['a', 'news', { junk }]],
  ['once', id, ['news', { target: { kind: 'Any', junk } }]],
  ['listen', id, [id, 'news', { junk }]],
  ['fetch', id, [{ body: junk }]],
  ['next', id, 1],
  ['send', id, [1, junk]],
  ['open', id, ['count', { junk }]],
  ['timer', id, [1e6, true]],
]

const isRefusedWith = (reason: string): unknown => expect.objectContaining({ reason })

test('an id that is in use ends the script, whatever it is used for, and nothing more of it is handled', () => {
  for (const [operation, id, value] of createMessages(5)) {
    const { bridge, receive, uncaught, invoked } = createBridge()
    receive(operation, id, value)
    expect(() => receive(operation, id, value), operation).toThrow(isRefusedWith('InvalidRequest') as Error)
    expect(uncaught.mock.calls, operation).toEqual([[isRefusedWith('InvalidRequest')]])
    receive('invoke', 6, ['greet'])
    expect(invoked).not.toContain('greet')
    bridge.stop()
  }
})

test('an id of the host that is not given yet, an id that is no number, and a handler for `once` end the script', () => {
  for (const [operation, id, value] of [
    ['open', -1, ['count']],
    ['timer', Number.NaN, [1, true]],
    ['once', 1, ['news', { $: 'function' }]],
  ] as const) {
    const { receive, uncaught } = createBridge()
    try {
      receive(operation, id, value)
    } catch {}
    expect(uncaught.mock.calls).toEqual([[isRefusedWith('InvalidRequest')]])
  }
})

test('a script has no more requests and streams than the bound, and room again once one has ended', async () => {
  const { receive, ends } = createBridge()
  const overloaded = isRefusedWith('Overloaded') as Error
  for (let id = 1; id <= MAX_HELD; id++) {
    receive('invoke', id, ['later'])
    receive('open', id, ['count'])
  }
  for (const [operation, id, value] of createMessages(70_000).slice(0, -1))
    expect(() => receive(operation, id, value), operation).toThrow(overloaded)
  ends[0]!()
  receive('return', 1, null)
  await tick()
  receive('once', 70_000, ['news'])
  receive('open', 70_000, ['count'])
})

test('what is kept for a script counts as its memory until it has ended', async () => {
  const { bridge, receive, ends } = createBridge()
  const half = 'x'.repeat(MAX_BYTES / 2)
  receive('invoke', 1, ['later', { half }])
  receive('open', 1, ['count', { small: [1] }])
  const kept = createMessages(2, half).filter(([operation]) => operation !== 'next' && operation !== 'timer')
  for (const [operation, id, value] of kept)
    expect(() => receive(operation, id, value), operation).toThrow('exceed its memory (8 MiB)')
  const bytes = '["wait",{"half":{"$":"bytes","i":0,"v":"DataView"}}]'
  expect(() => bridge.receive(`invoke 2 ${bytes}`, [new Uint8Array(MAX_BYTES / 2)])).toThrow('8 MiB')
  // Few characters, and many values.
  expect(() => receive('open', 2, ['count', Array.from({ length: 1e5 }, () => [])])).toThrow('8 MiB')
  ends[0]!()
  await tick()
  receive('once', 2, ['news', { half }])
})

test('the signal of a call is watched once', () => {
  const { delivered, receive, call, controller } = createBridge()
  receive('expose', 0, ['f'])
  call('f')
  for (let times = 0; times < 3; times++) receive('watch', -1, null)
  controller.abort()
  expect(delivered.filter(text => text.startsWith('abort '))).toHaveLength(1)
})

test('a script uses any number of channels one after the other', () => {
  const { receive } = createBridge()
  for (let id = 1; id <= 4 * MAX_HELD + 1; id++) {
    receive('push', id, null)
    receive('return', id, null)
  }
})

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void

test('whatever a script sends, only errors are thrown, and nothing of it is left after its end', async () => {
  const ids = fc.constantFrom<unknown>(-2, -1, 0, 1, 2, 3, 1.5, Number.NaN, 'x')
  const operations = [...new Set([...createMessages(1).map(([operation]) => operation), 'return', 'push', 'unlisten'])]
  const more = [
    'expose',
    'unexpose',
    'answer',
    'answer-error',
    'watch',
    'abort',
    'end-sender',
    'print',
    'clear',
    'fault',
  ]
  const conversions = [
    'load-error',
    'random',
    'encoding',
    'decode',
    'query',
    'to-query',
    'url',
    'set-url',
    'constructor',
  ]
  const message = fc.oneof(
    fc.tuple(fc.constantFrom(...operations, ...more, ...conversions), ids, fc.oneof(forged, fc.array(forged))),
    fc.tuple(fc.nat(3), forged).chain(([id, junk]) => fc.constantFrom(...createMessages(id, junk))),
  )
  const bridges: WeakRef<Bridge>[] = []
  const property = fc.property(fc.array(message, { minLength: 5, maxLength: 20 }), messages => {
    const { bridge, call, receive } = createBridge()
    bridges.push(new WeakRef(bridge))
    const before = process.getActiveResourcesInfo().toSorted()
    receive('expose', 0, ['f', 'bus.run'])
    call('f')
    call('bus.run')
    for (const [operation, id, value] of messages) {
      try {
        bridge.receive(`${operation} ${String(id)} ${JSON.stringify(value)}`, [new Uint8Array(8)])
      } catch (error) {
        expect(error).toBeInstanceOf(Error)
      }
    }
    bridge.stop()
    expect(process.getActiveResourcesInfo().toSorted()).toEqual(before)
  })
  fc.assert(property, { numRuns: 500 })
  vi.clearAllMocks()
  await expect
    .poll(() => {
      gc()
      return bridges.filter(bridge => bridge.deref() !== undefined).length
    })
    .toBe(0)
})

test('timers go on with what was left of them, and can be cleared', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] })
  const interrupted = createBridge()
  interrupted.receive('expose', 0, ['bus.run'])
  interrupted.call('bus.run')
  interrupted.receive('timer', 11, [100, false])
  interrupted.receive('timer', 12, [100, false])
  interrupted.receive('timer', 13, [40, true])
  vi.advanceTimersByTime(70)
  interrupted.receive('invoke', 1, ['ask'])
  await tick()
  const [state] = interrupted.states
  expect(state!.timers).toEqual([
    [11, 30, 100, false],
    [12, 30, 100, false],
    [13, 10, 40, true],
  ])
  const { bridge, call, delivered, receive } = createBridge()
  bridge.restore(state!)
  vi.advanceTimersByTime(1000)
  call('bus.run', { value: 1 })
  receive('clear', 11, null)
  const pass = (ms: number): string[] => {
    const before = delivered.length
    vi.advanceTimersByTime(ms)
    return delivered.slice(before)
  }
  const fired = [9, 1, 19, 1, 19, 1].map(pass)
  expect(fired).toEqual([[], ['timer 13 null'], [], ['timer 12 null'], [], ['timer 13 null']])
  receive('clear', 13, null)
  expect(pass(1000)).toEqual([])
})

test('a timer beyond the limit is refused, and does not run', () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] })
  const { bridge, delivered, receive } = createBridge()
  for (let id = 1; id <= MAX_HELD; id++) receive('timer', id, [1e9, false])
  expect(() => receive('timer', 70_000, [1, true])).toThrow('16384')
  expect(() => receive('timer', 70_001, [1, false])).toThrow('16384')
  vi.advanceTimersByTime(1000)
  expect(delivered).toEqual([])
  bridge.stop()
  expect(vi.getTimerCount()).toBe(0)
})

test('of functions that are exposed together none is left if one is refused, and their number and names are bounded', () => {
  const { exposed, receive } = createBridge()
  const names = Array.from({ length: MAX_HELD }, (_, n) => `f${n}`)
  expect(() => receive('expose', 0, ['a', 'x'.repeat(1001)])).toThrow('up to 1000 characters')
  expect(() => receive('expose', 0, [...names, 'one more'])).toThrow('up to 16384 functions')
  expect(exposed.size).toBe(0)
  expect(receive('expose', 0, names)).toBeUndefined()
  receive('unexpose', 0, names.slice(1))
  expect([...exposed.keys()]).toEqual(['f0'])
})

test('functions of an interrupted script can be called once it goes on', () => {
  const { bridge, exposed, call } = createBridge()
  bridge.restore({ ...idle, exposed: ['bus.run', 'f'] })
  expect([...exposed.keys()]).toEqual(['bus.run'])
  call('bus.run', { value: 1 })
  expect([...exposed.keys()]).toEqual(['bus.run', 'f'])
})

test('while another call has no answer, the end of a stream begins nothing, and the answer is delivered', async () => {
  const state: BridgeState = { ...idle, interrupted: [...idle.interrupted, [2, 'second']], ended: [5], closed: [-9] }
  const { bridge, delivered, invoked, states, call } = createBridge((text, itself) => {
    if (!text.startsWith('fail 5 ')) return
    itself.receive('invoke 6 ["tick"]', [])
    // It fails at once.
    itself.receive('send 7 [-9,"message"]', [])
  })
  bridge.restore(state)
  call('bus.run', { value: 'answer' })
  await tick()
  expect(delivered.at(-1)).toBe('settle 1 "answer"')
  expect(invoked).toEqual([])
  expect(states.map(({ held, interrupted }) => [held, interrupted])).toEqual([
    [[['invoke 6 ["tick"]']], [[2, 'second']]],
  ])
})

test('a result of `bus.run` beyond its limit is not sent', async () => {
  const { run, receive } = createBridge()
  receive('expose', 0, ['bus.run', 'f'])
  const results = ['bus.run', 'bus.run', 'f'].map(name => run(name))
  for (const [id, text] of [
    [-1, 'x'.repeat(8)],
    [-2, 'x'.repeat(9)],
    [-3, 'x'.repeat(99)],
  ] as const)
    receive('answer', id, text)
  const [within, beyond, other] = await Promise.allSettled(results)
  expect(within).toMatchObject({ value: 'x'.repeat(8) })
  expect(beyond).toMatchObject({ reason: { reason: 'Overloaded', data: { limit: 'resultBytes', max: 10 } } })
  expect(other).toMatchObject({ value: 'x'.repeat(99) })
})
