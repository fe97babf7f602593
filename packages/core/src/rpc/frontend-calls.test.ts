// What diagnostics channels tell, in core, of the calls that it makes of a frontend's functions, and what goes in their headers.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { BusError, type CallTrace, type TraceContext } from '@sallyport/protocol'
import { afterEach, expect, it } from 'vitest'
import { FrontendCalls } from './frontend-calls.js'

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
const trace = { label: 'main', command: 'echo', id: 1, codec: 'json', stream: false }

const sent: (TraceContext | undefined)[] = []
const unhear: (() => void)[] = []
afterEach(() => {
  sent.splice(0)
  for (const end of unhear.splice(0)) end()
})

const make = (request = (): void => {}): FrontendCalls =>
  new FrontendCalls(
    { label: 'main', codec: 'json' },
    {
      request: (_id, _method, _params, _transfer, context) => {
        request()
        sent.push(context && { traceparent: context.traceparent, tracestate: context.tracestate })
      },
      post: () => {},
      error: (_id, _method, error) => error,
    },
    new Float64Array(16),
    () => {},
  )

function hear(onStart: (trace: CallTrace) => void = () => {}): [happening: string, trace: CallTrace][] {
  const told: [string, CallTrace][] = []
  for (const happening of ['start', 'end', 'asyncStart', 'asyncEnd', 'error']) {
    const listener = (given: unknown): void => {
      if (happening === 'start') onStart(given as CallTrace)
      told.push([happening, { ...(given as CallTrace) }])
    }
    subscribe(`tracing:sallyport.call:${happening}`, listener)
    unhear.push(() => unsubscribe(`tracing:sallyport.call:${happening}`, listener))
  }
  return told
}

it('a call that is answered', async () => {
  const told = hear()
  const calls = make()
  const answer = calls.call('echo', { name: 'payload' })
  calls.take({ jsonrpc: '2.0', id: 1, result: 'payload' })
  expect(await answer).toBe('payload')
  expect(told).toEqual([
    ['start', trace],
    ['end', { ...trace, async: true }],
    ['asyncStart', { ...trace, async: true }],
    ['asyncEnd', { ...trace, async: true }],
  ])
  expect(JSON.stringify(told)).not.toContain('payload')
})

it('calls that fail, and that can’t be sent', async () => {
  const told = hear()
  const calls = make()
  const answer = calls.call('echo', {}, { timeout: 1 })
  await expect(answer).rejects.toMatchObject({ reason: 'Timeout' })
  expect(told.map(([happening]) => happening)).toEqual(['start', 'end', 'error', 'asyncStart', 'asyncEnd'])
  const stuck = make(() => {
    throw new BusError('InvalidParams', 'payload')
  })
  await expect(stuck.call('echo', {})).rejects.toMatchObject({ reason: 'InvalidParams' })
  expect(told.slice(5).map(([happening]) => happening)).toEqual(['start', 'error', 'end'])
})

it('the trace context of the call that it is made for goes along, unless whoever hears of it gives another', () => {
  const context = { traceparent, tracestate: 'k=v' }
  void make().call('echo', {})
  void make().call('echo', {}, {}, context)
  hear()
  void make().call('echo', {}, {}, context)
  hear(started => {
    started.traceparent = traceparent.replace(/01$/, '00')
    started.tracestate = undefined
  })
  void make().call('echo', {}, {}, context)
  expect(sent).toEqual([undefined, context, context, { traceparent: traceparent.replace(/01$/, '00') }])
})
