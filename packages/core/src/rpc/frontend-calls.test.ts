// Traces and trace contexts of calls that core makes of a frontend's functions.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { BusError, type CallTrace, type TraceContext } from '@sallyport/protocol/internal'
import { afterEach, expect, it } from 'vitest'
import { FrontendCalls } from './frontend-calls.js'

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
const trace = { label: 'main', command: 'echo', id: 1, codec: 'json', stream: false }

const sent: (TraceContext | undefined)[] = []
const unsubscribeAll: (() => void)[] = []
afterEach(() => {
  sent.splice(0)
  for (const end of unsubscribeAll.splice(0)) end()
})

const create = (request = (): void => {}): FrontendCalls =>
  new FrontendCalls(
    { label: 'main', codec: 'json' },
    {
      request: (_id, _method, _params, _transfer, context) => {
        request()
        sent.push(context && { traceparent: context.traceparent, tracestate: context.tracestate })
      },
      send: () => {},
      error: (_id, _method, error) => error,
    },
    new Float64Array(16),
    () => {},
  )

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
