// The trace context in the headers of calls: when it is added and removed, and the measured durations.
import { context, createTraceState, trace } from '@opentelemetry/api'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createBus, defineCore, type Bus, type BusOptions, type Client } from '../../src/index.js'
import { instrument } from '@sallyport/frontend/otel'
import { startSdk } from '../fixtures/observability/otel/sdk.mjs'
import { fixture, isolation, next } from '../support/start.js'
import { choose } from '../../../../scripts/testing.js'

const names = ['greet', 'headers', 'fails', 'until-aborted', 'numbers', 'metrics', 'spans']
const permissions = names.map(name => `allow-${name}`)
const capability = { identifier: 'traced', windows: ['*'], permissions }
const apps: [name: string, app: Partial<BusOptions>][] = [
  ['brownfield', { capabilities: [capability] }],
  ['isolation', isolation('judge', {}, capability)],
]

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
const sdk = startSdk()
afterAll(sdk.stop)

describe.each(choose(apps))('%s', (_name, app) => {
  let bus: Bus
  let client: Client
  beforeAll(async () => {
    const frontends = { main: fixture('observability/otel/frontend.mjs') }
    bus = await createBus({ core: fixture('observability/otel/core.mjs'), frontends, ...app, log: false })
    await next(bus, 'called')
    client = await bus.connect('tests')
  })
  afterAll(() => bus.close({ timeout: 0 }))

  const received = (headers: Record<string, string>): Promise<unknown> => client.invoke('headers', {}, { headers })

  test('headers are not added without a tracer', async () => {
    expect(await client.invoke('headers')).toEqual({})
    expect(await received({ other: 'kept' })).toEqual({ other: 'kept' })
  })

  test('headers of a caller arrive, and are the parent of the span in core', async () => {
    const headers = { traceparent, tracestate: 'vendor=value', other: 'kept' }
    expect(await received(headers)).toEqual(headers)
    const spans = await client.invoke<{ name: string; traceId: string; parentId?: string; state?: string }[]>('spans')
    expect(spans.findLast(({ name }) => name === 'headers')).toMatchObject({
      traceId: traceparent.slice(3, 35),
      parentId: traceparent.slice(36, 52),
      state: 'vendor=value',
    })
  })

  test('only malformed and overlong headers are dropped', async () => {
    const wrong = [
      '',
      'x'.repeat(100_000),
      `${traceparent}-more`,
      traceparent.toUpperCase(),
      `ff${traceparent.slice(2)}`,
    ]
    for (const invalid of wrong)
      expect(await received({ traceparent: invalid, other: 'kept' })).toEqual({ other: 'kept' })
    for (const tracestate of ['', 'k=v\n', 'k=é', 'x'.repeat(513)]) {
      expect(await received({ traceparent, tracestate })).toEqual({ traceparent })
    }
    expect(await received({ tracestate: 'k=v' })).toEqual({})
  })

  test("headers of a tracer replace the caller's, and the caller's object is unchanged", async () => {
    const instrumented = instrument(sdk.providers)
    const headers = { traceparent, tracestate: 'vendor=value', other: 'kept' }
    const got = await received(headers)
    instrumented.stop()
    const span = (sdk.spans() as { name: string; spanId: string; traceId: string }[]).at(-1)!
    expect(got).toEqual({ traceparent: `00-${span.traceId}-${span.spanId}-01`, other: 'kept' })
    expect(headers).toEqual({ traceparent, tracestate: 'vendor=value', other: 'kept' })
  })

  test('the trace state is sent too', async () => {
    const instrumented = instrument(sdk.providers)
    const spanContext = { ...parse(traceparent), traceState: createTraceState('vendor=value') }
    const within = trace.setSpanContext(context.active(), spanContext)
    const got = await context.with(within, () => client.invoke('headers'))
    instrumented.stop()
    expect(got).toMatchObject({ tracestate: 'vendor=value' })
  })

  test('calls are measured in seconds, in the recommended buckets', async () => {
    const instrumented = instrument(sdk.providers)
    await client.invoke('greet', {})
    await client.invoke('greet', {})
    await client.invoke('fails').catch(() => {})
    instrumented.stop()
    const measured = [await sdk.metrics(), await client.invoke<Measured[]>('metrics')] as Measured[][]
    for (const [i, side] of (['client', 'server'] as const).entries()) {
      const points = measured[i]!.filter(({ name }) => name === `rpc.${side}.call.duration`)
      const [greet] = points.filter(({ attributes }) => attributes['rpc.method'] === 'greet')
      expect(greet).toMatchObject({ unit: 's', attributes: { 'rpc.system.name': 'jsonrpc', 'rpc.method': 'greet' } })
      expect(Object.keys(greet!.attributes)).toHaveLength(2)
      expect(greet!.count).toBeGreaterThanOrEqual(2)
      expect(greet!.sum).toBeLessThan(greet!.count * 5)
      expect(greet!.buckets.boundaries).toEqual([
        0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
      ])
      const [failed] = points.filter(({ attributes }) => attributes['rpc.method'] === 'fails')
      expect(failed!.attributes).toMatchObject({ 'error.type': '-32000', 'rpc.status_code': '-32000' })
    }
  })

  test('stop ends the spans of running calls, and later calls are not traced', async () => {
    sdk.reset()
    const instrumented = instrument(sdk.providers)
    const controller = new AbortController()
    const call = client.invoke('until_aborted', {}, { signal: controller.signal })
    instrumented.stop()
    await client.invoke('greet', {})
    controller.abort()
    await expect(call).rejects.toMatchObject({ reason: 'Cancelled' })
    expect((sdk.spans() as { name: string }[]).map(({ name }) => name)).toEqual(['until_aborted'])
  })
})

test("if core is in the host's thread, one tracer sees both sides", async () => {
  sdk.reset()
  const inside: (string | undefined)[] = []
  const core = defineCore({
    commands: { read_span: () => void inside.push(trace.getSpanContext(context.active())?.spanId) },
  })
  const bus = await createBus({ core, log: false })
  const client = await bus.connect('tests')
  // The host's own call at its start is over.
  await bus.listen('any', () => {})
  const instrumented = instrument(sdk.providers)
  await client.invoke('read_span')
  instrumented.stop()
  await bus.close()
  const [callee, caller] = sdk.spans() as { kind: string; spanId: string; parentId?: string }[]
  expect(caller).toMatchObject({ kind: 'client', parentId: undefined })
  expect(callee).toMatchObject({ kind: 'server', parentId: caller!.spanId, spanId: inside[0] })
})

test('the commands of a script belong to the trace in which it runs, and those of the next run to another', async () => {
  const bus = await createBus({ core: fixture('observability/otel/core.mjs'), log: false })
  const run = (sandbox: 'quickjs' | 'permission'): Promise<unknown> =>
    bus.run('await 1; return invoke("headers")', { allow: ['headers'], sandbox })
  expect(await run('quickjs')).toEqual({})
  const instrumented = instrument(sdk.providers)
  for (const sandbox of ['quickjs', 'permission'] as const) {
    sdk.reset()
    const { traceparent: sent } = (await run(sandbox)) as { traceparent: string }
    const { traceId, spanId } = parse(sent)
    expect(sdk.spans()).toMatchObject([{ kind: 'client', traceId, spanId }])
  }
  instrumented.stop()
  await bus.close()
})

interface Measured {
  name: string
  unit: string
  attributes: Record<string, unknown>
  count: number
  sum: number
  buckets: { boundaries: number[] }
}

function parse(header: string): { traceId: string; spanId: string; traceFlags: number } {
  const [, traceId, spanId, flags] = header.split('-') as [string, string, string, string]
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) }
}
