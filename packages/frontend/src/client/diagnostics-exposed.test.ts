// What diagnostics channels tell of the calls that core makes of a frontend's functions.
import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { CallTrace } from '@sallyport/protocol'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { crossed, setUp } from '../../test/peer.js'
import { exposedCalls } from './diagnostics.js'

const HAPPENINGS = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const
const told: [happening: string, trace: CallTrace][] = []
const listeners = HAPPENINGS.map(
  happening =>
    [
      `tracing:sallyport.exposed:${happening}`,
      (trace: unknown) => void told.push([happening, { ...(trace as CallTrace) }]),
    ] as const,
)

beforeEach(() => {
  told.splice(0)
  for (const [channel, listener] of listeners) subscribe(channel, listener)
})
afterEach(() => {
  for (const [channel, listener] of listeners) unsubscribe(channel, listener)
})

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
const call = (method: string, headers?: object): object => ({ jsonrpc: '2.0', id: 7, method, params: {}, headers })
const trace = { label: 'main', command: 'echo', id: 7, codec: 'json', stream: false }

it('one that answers at once, with the trace context of its call', async () => {
  const { client, peer } = setUp()
  client.expose({ echo: args => args })
  peer.send(call('echo', { traceparent, tracestate: 'k=v', other: 'payload' }))
  await crossed()
  const withContext = { ...trace, traceparent, tracestate: 'k=v' }
  expect(told).toEqual([
    ['start', withContext],
    ['end', withContext],
  ])
  expect(peer.last).toMatchObject({ id: 7, result: {} })
})

it.each([
  ['throws', () => Promise.reject(new Error('payload')), 'CommandFailed'],
  ['gives what cannot be serialized', async () => 1n << 70n, 'InternalError'],
])('one that goes on, and %s', async (_what, run, reason) => {
  const { client, peer } = setUp()
  client.expose({ echo: run })
  peer.send(call('echo'))
  await crossed()
  expect(told.map(([happening]) => happening)).toEqual(['start', 'end', 'error', 'asyncStart', 'asyncEnd'])
  expect(told[1]![1]).toEqual({ ...trace, async: true })
  expect(told.at(-1)![1].error).toMatchObject({ reason })
  expect(JSON.stringify(told)).not.toContain('payload')
})

it('one that is not there', async () => {
  const { peer } = setUp()
  peer.send(call('echo'))
  await crossed()
  expect(told.map(([happening, { error }]) => [happening, error?.reason])).toEqual([
    ['start', undefined],
    ['error', 'MethodNotFound'],
    ['end', 'MethodNotFound'],
  ])
})

it('one that the caller has given up ends as cancelled, once it does', async () => {
  const { client, peer } = setUp()
  let finish = (): void => {}
  client.expose({ echo: () => new Promise<void>(resolve => (finish = resolve)) })
  peer.send(call('echo'), { jsonrpc: '2.0', method: '$/cancelRequest', params: { id: 7 } })
  await crossed()
  expect(told.map(([happening]) => happening)).toEqual(['start', 'end'])
  finish()
  await crossed()
  expect(told.slice(2).map(([happening, { error }]) => [happening, error?.reason])).toEqual([
    ['error', 'Cancelled'],
    ['asyncStart', 'Cancelled'],
    ['asyncEnd', 'Cancelled'],
  ])
})

it('a store that is bound to its start, or what runs it within, is the function’s', async () => {
  const { client, peer } = setUp()
  const bound = new AsyncLocalStorage<string>()
  const around = new AsyncLocalStorage<string>()
  exposedCalls.start.bindStore(bound, ({ command }) => command)
  const wrap = (given: unknown): void => void ((given as CallTrace).within = run => around.run('around', run))
  subscribe('tracing:sallyport.exposed:start', wrap)
  client.expose({
    echo: async () => {
      await Promise.resolve()
      return [bound.getStore(), around.getStore()]
    },
  })
  peer.send(call('echo'))
  await crossed()
  unsubscribe('tracing:sallyport.exposed:start', wrap)
  exposedCalls.start.unbindStore(bound)
  expect(peer.last).toMatchObject({ result: ['echo', 'around'] })
})
