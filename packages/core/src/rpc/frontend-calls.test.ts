// Traces and trace contexts of calls that core makes of a frontend's functions, and the order of messages and answers.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { setImmediate as turn } from 'node:timers/promises'
import { Channel } from '@sallyport/frontend/internal'
import { BusError } from '@sallyport/protocol/internal/errors'
import { FIRST_CORE_CHANNEL, toChannelReference, type TraceContext } from '@sallyport/protocol/internal/message'
import {
  type CallTrace,
  countStreams,
  type ReceivedStream,
  Streams,
  type StreamWriter,
} from '@sallyport/protocol/internal/rpc'
import { CHANNEL_READ_AHEAD, MAX_CHANNELS, MAX_IN_FLIGHT } from '@sallyport/protocol/internal/wire'
import { afterEach, describe, expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { ChannelTable, findSenders, resultAfter } from './channels.js'
import { FrontendCalls } from './frontend-calls.js'
import { toCounts } from '../shared/metrics.js'

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
const trace = { label: 'main', command: 'echo', callee: 'main', id: 1, codec: 'json', stream: false }

const sent: (TraceContext | undefined)[] = []
const unsubscribeAll: (() => void)[] = []
afterEach(() => {
  sent.splice(0)
  notified.splice(0)
  for (const end of unsubscribeAll.splice(0)) end()
})

const notified: unknown[] = []
let streams: Streams
const writer: StreamWriter = {
  isFull: false,
  encode: (_stream, message) => JSON.stringify(message),
  put: () => {},
  send: message => void notified.push(message),
  fail: () => {},
  room: () => undefined,
}
const create = (request = (): void => {}, getTotal?: () => number): FrontendCalls => {
  streams = new Streams({ writer, toError: thrown => thrown as BusError })
  streams.nextId = FIRST_CORE_CHANNEL
  return new FrontendCalls(
    { label: 'main', codec: 'json' },
    {
      request: (_id, _method, _params, _transfer, context) => {
        request()
        sent.push(context && { traceparent: context.traceparent, tracestate: context.tracestate })
      },
      send: message => void notified.push(message),
      error: (_id, _method, error) => error,
    },
    toCounts(),
    () => {},
    streams,
    getTotal,
  )
}

const callStream = (calls: FrontendCalls): Promise<unknown> =>
  calls.call('count', {}, undefined, undefined, undefined, true)
const notice = (method: string, params: object): object => ({ jsonrpc: '2.0', method, params })
const stop = (channel: number): object => notice('$/closeChannel', { channel })
const say = (channel: number, index: number, message: unknown): boolean =>
  streams.handle('$/channel', { channel, index, message })

/** Returns the traces of calls from here on, each with the name of its channel. */
function recordTraces(onStart: (trace: CallTrace) => void = () => {}): [name: string, trace: CallTrace][] {
  const traces: [string, CallTrace][] = []
  for (const name of ['start', 'end', 'asyncStart', 'asyncEnd', 'error']) {
    const listener = (message: unknown): void => {
      if (name === 'start') onStart(message as CallTrace)
      traces.push([name, { ...(message as CallTrace) }])
    }
    subscribe(`tracing:sallyport.call:${name}`, listener)
    unsubscribeAll.push(() => unsubscribe(`tracing:sallyport.call:${name}`, listener))
  }
  return traces
}

it('traces a call that is answered', async () => {
  const traces = recordTraces()
  const calls = create()
  const answer = calls.call('echo', { name: 'payload' })
  calls.settle({ jsonrpc: '2.0', id: 1, result: 'payload' })
  expect(await answer).toBe('payload')
  expect(traces).toEqual([
    ['start', trace],
    ['end', { ...trace, async: true }],
    ['asyncStart', { ...trace, async: true }],
    ['asyncEnd', { ...trace, async: true }],
  ])
  expect(JSON.stringify(traces)).not.toContain('payload')
})

it('traces calls that fail and calls that cannot be sent', async () => {
  const traces = recordTraces()
  const calls = create()
  const answer = calls.call('echo', {}, { timeout: 1 })
  await expect(answer).rejects.toMatchObject({ reason: 'Timeout' })
  expect(traces.map(([name]) => name)).toEqual(['start', 'end', 'error', 'asyncStart', 'asyncEnd'])
  const stuck = create(() => {
    throw new BusError('InvalidParams', 'payload')
  })
  await expect(stuck.call('echo', {})).rejects.toMatchObject({ reason: 'InvalidParams' })
  expect(traces.slice(5).map(([name]) => name)).toEqual(['start', 'error', 'end'])
})

it('sends the trace context of the outer call unless a subscriber sets another', () => {
  const context = { traceparent, tracestate: 'k=v' }
  void create().call('echo', {})
  void create().call('echo', {}, {}, context)
  recordTraces()
  void create().call('echo', {}, {}, context)
  recordTraces(started => {
    started.traceparent = traceparent.replace(/01$/, '00')
    started.tracestate = undefined
  })
  void create().call('echo', {}, {}, context)
  expect(sent).toEqual([undefined, context, context, { traceparent: traceparent.replace(/01$/, '00') }])
})

it('a function that throws for a call of its own which was not delivered has run', async () => {
  const calls = create()
  const answer = calls.call('echo', {})
  calls.settle({ jsonrpc: '2.0', id: 1, error: { code: -32005, message: 'gone', data: { delivered: 'no' } } })
  await expect(answer).rejects.toMatchObject({ message: 'gone', data: { delivered: 'unknown' } })
})

it('refuses one call more than may be in flight', async () => {
  const calls = create()
  const open = Array.from({ length: MAX_IN_FLIGHT }, () => calls.call('f', {}))
  for (const call of open) void call.catch(() => {})
  await expect(calls.call('f', {})).rejects.toMatchObject({ reason: 'Overloaded', data: { code: 'TOO_MANY_CALLS' } })
  calls.settle({ jsonrpc: '2.0', id: 1, result: 'done' })
  expect(await open[0]).toBe('done')
  void calls.call('f', {})
  expect(sent).toHaveLength(MAX_IN_FLIGHT + 1)
})

it('leaves the channels and streams of a call that fails', async () => {
  const calls = create()
  const answer = calls.call('report', { progress: new Channel(), input: new ReadableStream() })
  expect(countStreams(streams)).toBe(2)
  calls.settle({ jsonrpc: '2.0', id: 1, error: { code: -32002, message: 'no' } })
  await expect(answer).rejects.toMatchObject({ reason: 'Rejected' })
  await turn()
  expect(countStreams(streams)).toBe(0)
  expect(notified).toContainEqual(stop(FIRST_CORE_CHANNEL))
})

describe('a stream as an answer', () => {
  it('sends values once it is read, and ends when the frontend does, and with it the streams among the arguments', async () => {
    const calls = create()
    const args = { input: new ReadableStream() }
    const answer = calls.call('count', args, undefined, undefined, undefined, true)
    calls.settle({ jsonrpc: '2.0', id: 1, result: null, stream: 5 })
    const stream = (await answer) as ReceivedStream
    expect(notified).toEqual([])
    const first = stream.next()
    expect(notified).toEqual([notice('$/credit', { channel: 5, bytes: 2 ** 20 })])
    say(5, 0, 'value')
    expect(await first).toEqual({ done: false, value: 'value' })
    expect(countStreams(streams)).toBe(2)
    calls.disconnect()
    calls.end('gone', undefined, 'unknown')
    await expect(stream.next()).rejects.toMatchObject({ reason: 'Disconnected', message: 'gone' })
    await turn()
    expect(countStreams(streams)).toBe(0)
  })

  it('is stopped if the call does not take one, or has settled', async () => {
    const calls = create()
    const answer = calls.call('count', {})
    calls.settle({ jsonrpc: '2.0', id: 1, result: null, stream: 5 })
    await expect(answer).rejects.toMatchObject({ reason: 'InvalidRequest' })
    calls.settle({ jsonrpc: '2.0', id: 1, result: null, stream: 6 })
    expect(notified).toEqual([stop(5), stop(6)])
  })

  it('is stopped if too many are open, or the gate has rejected it', async () => {
    const calls = create(undefined, () => 16_384)
    const answer = callStream(calls)
    calls.settle({ jsonrpc: '2.0', id: 1, result: null, stream: 5 })
    await expect(answer).rejects.toMatchObject({ reason: 'Overloaded' })
    const rejected = callStream(calls)
    calls.settle({ jsonrpc: '2.0', id: 2, error: { code: -32002, message: 'no' }, stream: 6 })
    await expect(rejected).rejects.toMatchObject({ reason: 'Rejected' })
    expect(notified).toEqual([stop(5), stop(6)])
  })

  it('must have an id of a stream', async () => {
    const calls = create()
    const answer = callStream(calls)
    calls.settle({ jsonrpc: '2.0', id: 1, result: null, stream: '5' })
    await expect(answer).rejects.toMatchObject({ reason: 'InvalidRequest' })
  })
})

it('passes on the messages that arrived before the answer first, and ends the channel when the frontend has ended', () =>
  rows([
    ['result', { result: 'done' }],
    ['error', { error: { code: -32_000, message: 'failed', data: { reason: 'CommandFailed' } } }],
  ])(async (_name, answer) => {
    sent.splice(0)
    const calls = create()
    const order: unknown[] = []
    const progress = new Channel<number>(message => order.push(message))
    progress.onend = () => order.push('end')
    const call = calls.call('report', { progress }).then(
      () => order.push('answer'),
      () => order.push('answer'),
    )
    for (let index = 0; index < 3; index++) say(FIRST_CORE_CHANNEL, index, index)
    calls.settle({ jsonrpc: '2.0', id: 1, ...answer })
    await call
    calls.end('gone', undefined, 'unknown')
    expect(order.filter(what => what !== 'end')).toEqual([0, 1, 2, 'answer'])
    expect(order).toContain('end')
  }))

/** A call of core has a channel of core's caller among its arguments. */
function passOn() {
  const calls = create()
  const put: number[] = []
  const answers = new Streams({
    writer: { ...writer, put: (_message, _stream, index) => put.push(index) },
    toError: thrown => thrown as BusError,
  })
  const args: Record<string, unknown> = { progress: toChannelReference(7) }
  new ChannelTable(answers).bind(args, { progress: 7 })
  const [sender] = findSenders(args)
  void calls.call('report', args).catch(() => {})
  return { calls, put, sender: sender! }
}

it('passes on what has arrived on a channel before the answer of the call that it came with, and no more', async () => {
  const { put, sender } = passOn()
  const message = 'x'.repeat(CHANNEL_READ_AHEAD)
  for (let index = 0; index < 4; index++) say(FIRST_CORE_CHANNEL, index, message)
  const answered = Promise.resolve(resultAfter([sender], 'done')).then(() => put.length)
  // More arrives than is read, until it is told too often.
  for (let next = 4; next < 100; await turn()) {
    for (let count = 0; count < 2; count++) say(FIRST_CORE_CHANNEL, next++, message)
    sender.credit(CHANNEL_READ_AHEAD * 2)
  }
  const count = await answered
  expect(count).toBeGreaterThanOrEqual(4)
  expect(count).toBeLessThan(10)
})

it('answers a call whose channel its caller has closed, though what had arrived on it was not passed on', async () => {
  const { calls, sender } = passOn()
  const message = 'x'.repeat(CHANNEL_READ_AHEAD)
  for (let index = 0; index < 4; index++) say(FIRST_CORE_CHANNEL, index, message)
  streams.handle('$/channel', { channel: FIRST_CORE_CHANNEL, index: 4, end: true })
  let answer: unknown
  void Promise.resolve(resultAfter([sender], 'done')).then(result => (answer = result))
  await turn()
  expect(answer).toBeUndefined()
  sender.abandon()
  await turn()
  expect(answer).toBe('done')
  calls.end('gone', undefined, 'unknown')
})

it('calls, their channels and their streams count up to the limit of the frontend, and no further', () =>
  rows<[string, (calls: FrontendCalls) => Promise<unknown>]>([
    ['a channel to a function', calls => calls.call('f', { a: new Channel() })],
    ['a stream to a function', calls => calls.call('f', { a: new ReadableStream() })],
    [
      'the stream of a function',
      calls => {
        const answer = callStream(calls)
        calls.settle({ jsonrpc: '2.0', id: 1, result: null, stream: 5 })
        return answer
      },
    ],
  ])(async (_way, open) => {
    const isOverloaded = async (openCount: number): Promise<boolean> => {
      const calls = create(undefined, () => openCount)
      const outcome = open(calls).then(
        () => false,
        ({ reason }: BusError) => reason === 'Overloaded',
      )
      calls.end('gone', undefined, 'unknown')
      return outcome
    }
    expect([await isOverloaded(MAX_CHANNELS - 1), await isOverloaded(MAX_CHANNELS)]).toEqual([false, true])
  }))
