// The diagnostics channel of calls of exposed functions.
import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { CallTrace } from '@sallyport/protocol/internal/rpc'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { crossed, setUp } from '../../test/peer.js'
import { exposedCalls } from './node-features.js'

const EVENTS = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const
const published: [event: string, trace: CallTrace][] = []
const listeners = EVENTS.map(
  event =>
    [
      `tracing:sallyport.exposed:${event}`,
      (trace: unknown) => void published.push([event, { ...(trace as CallTrace) }]),
    ] as const,
)

beforeEach(() => {
  published.splice(0)
  for (const [channel, listener] of listeners) subscribe(channel, listener)
})
afterEach(() => {
  for (const [channel, listener] of listeners) unsubscribe(channel, listener)
})

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
const call = (method: string, headers?: object): object => ({ jsonrpc: '2.0', id: 7, method, params: {}, headers })
const trace = { label: 'main', command: 'echo', id: 7, codec: 'json', stream: false }

it('publishes a synchronous call with its trace context', async () => {
  const { client, peer } = setUp()
  client.expose({ echo: args => args })
  peer.send(call('echo', { traceparent, tracestate: 'k=v', other: 'payload' }))
  await crossed()
  const withContext = { ...trace, traceparent, tracestate: 'k=v' }
  expect(published).toEqual([
    ['start', withContext],
    ['end', withContext],
  ])
  expect(peer.last).toMatchObject({ id: 7, result: {} })
})

it('publishes an asynchronous call that fails', () =>
  rows([
    ['throws', () => Promise.reject(new Error('payload')), 'CommandFailed'],
    ['returns a value that cannot be serialized', async () => 1n << 70n, 'InternalError'],
  ])(async (_what, run, reason) => {
    published.length = 0
    const { client, peer } = setUp()
    client.expose({ echo: run })
    peer.send(call('echo'))
    await crossed()
    expect(published.map(([event]) => event)).toEqual(['start', 'end', 'error', 'asyncStart', 'asyncEnd'])
    expect(published[1]![1]).toEqual({ ...trace, async: true })
    expect(published.at(-1)![1].error).toMatchObject({ reason })
    expect(JSON.stringify(published)).not.toContain('payload')
  }))

it('publishes a call of an unknown function', async () => {
  const { peer } = setUp()
  peer.send(call('echo'))
  await crossed()
  expect(published.map(([event, { error }]) => [event, error?.reason])).toEqual([
    ['start', undefined],
    ['error', 'MethodNotFound'],
    ['end', 'MethodNotFound'],
  ])
})

it('publishes a cancelled call when it ends', async () => {
  const { client, peer } = setUp()
  let finish = (): void => {}
  client.expose({ echo: () => new Promise<void>(resolve => (finish = resolve)) })
  peer.send(call('echo'), { jsonrpc: '2.0', method: '$/cancelRequest', params: { id: 7 } })
  await crossed()
  expect(published.map(([event]) => event)).toEqual(['start', 'end'])
  finish()
  await crossed()
  expect(published.slice(2).map(([event, { error }]) => [event, error?.reason])).toEqual([
    ['error', 'Cancelled'],
    ['asyncStart', 'Cancelled'],
    ['asyncEnd', 'Cancelled'],
  ])
})

it('runs a function within a bound store, or within the function that a subscriber has set', async () => {
  const { client, peer } = setUp()
  // The types of a store differ between versions of @types/node.
  const bound = new AsyncLocalStorage<unknown>() as AsyncLocalStorage<CallTrace>
  const around = new AsyncLocalStorage<string>()
  exposedCalls!.start.bindStore(bound, ({ command }) => command as never)
  const wrap = (trace: unknown): void => void ((trace as CallTrace).within = run => around.run('around', run))
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
  exposedCalls!.start.unbindStore(bound)
  expect(peer.last).toMatchObject({ result: ['echo', 'around'] })
})
