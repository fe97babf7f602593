// Calls as OpenTelemetry's SDK sees them, in real threads: one trace for each, with any number of actors.
import { context, trace } from '@opentelemetry/api'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createBus, type Bus, type BusOptions, type Client } from '../../../src/index.js'
import { instrument } from '@sallyport/frontend/otel'
import { startSdk } from '../../fixtures/observability/otel/sdk.mjs'
import { fixture, isolation, next } from '../../support/start.js'
import { choose } from '../../../../../scripts/testing.js'

interface Span {
  name: string
  kind: 'internal' | 'server' | 'client'
  traceId: string
  spanId: string
  parentId?: string
  isRemote?: boolean
  state?: string
  status: { code: number; message?: string }
  attributes: Record<string, unknown>
  seconds: number
}

const names = ['greet', 'later', 'fails', 'until-aborted', 'numbers', 'call-frontend', 'reset', 'spans']
const permissions = names.map(name => `allow-${name}`)
const capability = { identifier: 'traced', windows: ['*'], permissions }
const apps: [name: string, app: Partial<BusOptions>][] = [
  ['brownfield', { capabilities: [capability] }],
  ['isolation', isolation('judge', {}, capability)],
]

const sdk = startSdk()
const instrumented = instrument(sdk.providers)
afterAll(() => {
  instrumented.stop()
  sdk.stop()
})

describe.each(choose(apps))('%s', (_name, app) => {
  let bus: Bus
  let client: Client
  beforeAll(async () => {
    const frontends = { main: fixture('observability/otel/frontend.mjs') }
    bus = await createBus({ core: fixture('observability/otel/core.mjs'), frontends, ...app, log: false })
    await next(bus, 'called')
    client = await bus.connect('tests')
  })
  beforeEach(async () => {
    await client.invoke('reset')
    await bus.call('main', 'reset')
    sdk.reset()
  })
  afterAll(() => bus.close({ timeout: 0 }))

  const inHost = (name: string): Span[] => (sdk.spans() as Span[]).filter(span => span.name === name)
  const inCore = async (name: string): Promise<Span[]> =>
    (await client.invoke<Span[]>('spans')).filter(span => span.name === name)
  const inFrontend = async (name: string): Promise<Span[]> =>
    (await bus.call<Span[]>('main', 'spans')).filter(span => span.name === name)
  /** The last of this name on each side. */
  const pair = async (name: string): Promise<[caller: Span, callee: Span]> => [
    inHost(name).at(-1)!,
    (await inCore(name)).at(-1)!,
  ]

  test("a call is one trace: the caller's span, and the callee's as its child", async () => {
    await client.invoke('greet', { name: 'payload' })
    const [caller, callee] = await pair('greet')
    expect(caller).toMatchObject({ kind: 'client', status: { code: 0 }, parentId: undefined })
    expect(callee).toMatchObject({ kind: 'server', traceId: caller.traceId, parentId: caller.spanId, isRemote: true })
    const attributes = {
      'rpc.system.name': 'jsonrpc',
      'rpc.method': 'greet',
      'jsonrpc.protocol.version': '2.0',
      'jsonrpc.request.id': expect.stringMatching(/^\d+$/),
      'sallyport.label': 'tests',
      'sallyport.codec': 'json',
      'sallyport.stream': false,
    }
    expect([caller.attributes, callee.attributes]).toEqual([attributes, attributes])
    expect(callee.seconds).toBeLessThan(caller.seconds)
  })

  test('the handler runs in the context of its span, also after an await, and the caller in its own', async () => {
    const tracer = sdk.tracerProvider.getTracer('test')
    const outer = tracer.startSpan('outer')
    const [inside, other] = await Promise.all([
      context.with(trace.setSpan(context.active(), outer), () => client.invoke('later')),
      client.invoke('later'),
    ])
    const later = await inCore('later')
    expect(later.map(({ spanId }) => spanId)).toEqual([inside, other])
    expect((await inCore('inner')).map(({ parentId }) => parentId)).toEqual([inside, other])
    expect(
      inHost('later')
        .slice(-2)
        .map(({ parentId }) => parentId),
    ).toEqual([outer.spanContext().spanId, undefined])
    expect(later[0]!.traceId).toBe(outer.spanContext().traceId)
  })

  test('a failed call has its code on both sides, and nothing of the thrown value', async () => {
    for (const [name, code, reason] of [
      ['fails', '-32000', 'CommandFailed'],
      ['secret', '-32001', 'Denied'],
    ] as const) {
      await expect(client.invoke(name, { name: 'payload' })).rejects.toMatchObject({ reason })
      for (const span of await pair(name)) {
        expect(span.status).toEqual({ code: 2, message: reason })
        expect(span.attributes).toMatchObject({ 'rpc.method': name, 'rpc.status_code': code, 'error.type': code })
        expect(JSON.stringify(span)).not.toContain('payload')
      }
    }
  })

  test('an unknown command is not reported as a method', async () => {
    await expect(client.invoke('gret')).rejects.toMatchObject({ reason: 'MethodNotFound' })
    const [caller, callee] = await pair('jsonrpc')
    for (const { attributes } of [caller, callee]) {
      expect(attributes).toMatchObject({
        'rpc.method': '_OTHER',
        'rpc.method_original': 'gret',
        'error.type': '-32601',
      })
    }
  })

  test('a cancelled call ends its spans on both sides', async () => {
    const controller = new AbortController()
    const call = client.invoke('until_aborted', {}, { signal: controller.signal })
    await client.invoke('greet', {})
    expect(await inCore('until_aborted')).toEqual([])
    controller.abort()
    await expect(call).rejects.toMatchObject({ reason: 'Cancelled' })
    await expect.poll(() => inCore('until_aborted')).toHaveLength(1)
    for (const span of await pair('until_aborted')) expect(span.status.message).toBe('Cancelled')
  })

  test('a stream is a span that ends with it', async () => {
    for await (const n of client.stream('numbers', { to: 5 })) expect(n).toBeTypeOf('number')
    const [caller, callee] = await pair('numbers')
    expect(callee).toMatchObject({ parentId: caller.spanId, attributes: { 'sallyport.stream': true } })
    expect(callee.seconds).toBeGreaterThan(0.004)
  })

  test('from a frontend to core and back, and from there to core: one trace', async () => {
    expect(await client.invoke('call_frontend', { label: 'main', name: 'greets' })).toBe('Hello, payload!')
    await expect.poll(() => inFrontend('greets')).toHaveLength(1)
    const [invoked] = inHost('call_frontend').slice(-1)
    const [command] = await inCore('call_frontend')
    const [called] = await inCore('greets')
    const [exposed] = await inFrontend('greets')
    const [back] = await inFrontend('greet')
    const [greet] = await inCore('greet')
    const chain = [invoked, command, called, exposed, back, greet] as Span[]
    expect(chain.map(({ kind }) => kind)).toEqual(['client', 'server', 'client', 'server', 'client', 'server'])
    expect(new Set(chain.map(({ traceId }) => traceId)).size).toBe(1)
    expect(chain.slice(1).map(({ parentId }) => parentId)).toEqual(chain.slice(0, -1).map(({ spanId }) => spanId))
  })

  test('listening and events have no spans, on neither side', async () => {
    const unlisten = await bus.listen('news', () => {})
    await bus.emit('news')
    unlisten()
    await bus.call('main', 'greets')
    const all = [...(sdk.spans() as Span[]), ...(await client.invoke<Span[]>('spans'))]
    expect(all.filter(({ name }) => name.startsWith('plugin:event|'))).toEqual([])
    expect(all.length).toBeGreaterThan(0)
  })

  test('a function that fails with the error of an unknown command has its own name', async () => {
    await expect(bus.call('main', 'misspells')).rejects.toMatchObject({ reason: 'MethodNotFound' })
    const spans = [inHost('misspells'), await inCore('misspells'), await inFrontend('misspells')]
    expect(spans.map(([span]) => span?.attributes['rpc.method'])).toEqual(Array(3).fill('misspells'))
  })

  test('bus.call is a span of the function, with its label and the reason of its failure', async () => {
    await expect(bus.call('main', 'throws')).rejects.toMatchObject({ reason: 'CommandFailed' })
    const [host] = inHost('throws').slice(-1) as [Span]
    const [core] = (await inCore('plugin:host|call')).slice(-1) as [Span]
    expect(host.attributes).toMatchObject({ 'rpc.method': 'throws', 'sallyport.callee': 'main' })
    const [called] = await inCore('throws')
    const [exposed] = await inFrontend('throws')
    expect(core.parentId).toBe(host.spanId)
    expect(called).toMatchObject({ kind: 'client', parentId: core.spanId, traceId: host.traceId })
    expect(exposed).toMatchObject({ kind: 'server', parentId: called!.spanId, traceId: host.traceId })
    expect(exposed!.status).toEqual({ code: 2, message: 'CommandFailed' })
  })
})
