// Messages of diagnostics channels in the threads of real buses: in core, in frontends of every kind, in the host.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { describe, expect, test } from 'vitest'
import type { Bus, BusEvents, BusOptions, CallTrace, Client, CodecName, EventTrace } from '../../src/index.js'
import { fixture, isolation, next, start } from '../support/start.js'
import { choose } from '../../../../scripts/testing.js'

type Trace = { on: string } & Partial<CallTrace & EventTrace>

const permissions = [
  ...['greet', 'later', 'fails', 'fails-later', 'unsendable', 'until-aborted', 'numbers', 'store', 'traces'],
  'break-tracing',
].map(name => `allow-${name}`)
const capability = { identifier: 'traced', windows: ['*'], permissions }

const apps: [name: string, codec: CodecName, app: Partial<BusOptions>][] = [
  ['brownfield', 'json', { capabilities: [capability] }],
  ['isolation', 'msgpack', isolation(undefined, {}, capability)],
]

const startTraced = (app: Partial<BusOptions>, options: Partial<BusOptions> = {}): Promise<Bus> =>
  start({ core: fixture('observability/traced-core.mjs'), ...app, ...options })

const getChannels = (traces: readonly Trace[]): string[] => traces.map(message => message.on)

describe.each(choose(apps))('in core: %s, %s', (_name, codec, app) => {
  let bus: Bus
  let client: Client
  const open = async (): Promise<void> => {
    bus = await startTraced(app, { codec })
    client = await bus.connect('tests')
  }
  /** Returns all traces of a command in core. */
  const getTraces = async (command: string): Promise<Trace[]> =>
    (await client.invoke<Trace[]>('traces')).filter(message => message.command === command)
  const fails = (command: string): Promise<unknown> =>
    client.invoke(command, { name: 'payload' }, { headers: { h: 'payload' } }).then(
      () => undefined,
      (error: unknown) => error,
    )

  test('traces a synchronous command, an asynchronous one, and a stream', async () => {
    await open()
    await client.invoke('greet', { name: 'payload' })
    await client.invoke('later', { name: 'payload' })
    for await (const value of client.stream('numbers', { to: 3 })) expect(value).toBeTypeOf('number')
    const greet = { label: 'tests', command: 'greet', id: 1, codec, stream: false }
    expect(await getTraces('greet')).toEqual([
      { on: 'start', ...greet },
      { on: 'end', ...greet },
    ])
    const later = await getTraces('later')
    expect(getChannels(later)).toEqual(['start', 'end', 'asyncStart', 'asyncEnd'])
    expect(later.every(({ id, error }) => id === 2 && error === undefined)).toBe(true)
    const numbers = await getTraces('numbers')
    expect(getChannels(numbers)).toEqual(['start', 'end', 'asyncStart', 'asyncEnd'])
    expect(numbers.every(({ stream }) => stream)).toBe(true)
  })

  test('traces commands that fail: synchronously, later, by their result, or by denial', async () => {
    await open()
    for (const [command, reason, channels] of [
      ['fails', 'CommandFailed', ['start', 'error', 'end']],
      ['fails_later', 'CommandFailed', ['start', 'end', 'error', 'asyncStart', 'asyncEnd']],
      ['unsendable', 'InternalError', ['start', 'error', 'end']],
      ['secret', 'Denied', ['start', 'error', 'end']],
      ['missing', 'MethodNotFound', ['start', 'error', 'end']],
    ] as const) {
      const outcome = await fails(command)
      expect(outcome).toMatchObject({ reason })
      const traces = await getTraces(command)
      expect(getChannels(traces), command).toEqual(channels)
      expect(traces.at(-1)!.error).toEqual({ code: (outcome as { code: number }).code, reason })
      expect(JSON.stringify(traces)).not.toContain('payload')
    }
  })

  test('traces the end of a cancelled call when its handler ends', async () => {
    await open()
    const controller = new AbortController()
    const cancelled = client.invoke('until_aborted', {}, { signal: controller.signal })
    expect(getChannels(await getTraces('until_aborted'))).toEqual(['start', 'end'])
    controller.abort()
    await expect(cancelled).rejects.toMatchObject({ reason: 'Cancelled' })
    await expect(client.invoke('until_aborted', {}, { timeout: 1 })).rejects.toMatchObject({ reason: 'Timeout' })
    await client.invoke('later', {})
    const traces = await getTraces('until_aborted')
    const calls = [...new Set(traces.map(({ id }) => id))].map(id => traces.filter(message => message.id === id))
    expect(calls.map(getChannels)).toEqual(Array(2).fill(['start', 'end', 'error', 'asyncStart', 'asyncEnd']))
    // Core receives a cancel for both.
    expect(calls.map(call => call.at(-1)!.error!.reason)).toEqual(['Cancelled', 'Cancelled'])
  })

  test('traces a call as disconnected when its frontend has disconnected', async () => {
    await open()
    client.invoke('until_aborted').catch(() => {})
    await client.close()
    await expect
      .poll(() =>
        bus.connect('tests').then(
          again => (client = again),
          () => {},
        ),
      )
      .toBeTruthy()
    await expect.poll(async () => getChannels(await getTraces('until_aborted'))).toContain('asyncEnd')
    const traces = await getTraces('until_aborted')
    expect(getChannels(traces)).toEqual(['start', 'end', 'error', 'asyncStart', 'asyncEnd'])
    expect(traces.at(-1)!.error!.reason).toBe('Disconnected')
  })

  test('traces events that core receives and sends', async () => {
    await open()
    const pong = next(client as unknown as Bus, 'pong')
    await client.emit('ping', 'payload')
    await pong
    const traces = (await client.invoke<Trace[]>('traces')).filter(({ event }) => event !== undefined)
    expect(traces).toEqual([
      { on: 'received', label: 'tests', event: 'ping', codec },
      { on: 'sent', label: 'tests', event: 'pong', codec },
    ])
    // An event arrives as a command without an id.
    const emits = await getTraces('plugin:event|emit')
    expect(emits.map(({ on: channel, id }) => [channel, id])).toEqual([
      ['start', undefined],
      ['end', undefined],
    ])
  })

  test('runs the whole handler with the bound store', async () => {
    await open()
    await client.invoke('greet', { name: 'x' })
    expect(await Promise.all([client.invoke('store'), client.invoke('store')])).toEqual(['store 2', 'store 3'])
  })

  test('restarts core when a subscriber throws, as for any uncaught exception', async () => {
    await open()
    const fault = new Promise<BusEvents['fault']>(resolve => void bus.on('fault', resolve))
    await client.invoke('break_tracing')
    await client.invoke('greet', { name: 'World' }).catch(() => {})
    expect((await fault).error.message).toContain('a subscriber throws')
    await expect.poll(() => client.invoke('greet', { name: 'World' }).catch(() => {})).toBe('Hello, World!')
  })
})

describe.each(choose(['none', 'permission', 'process'] as const))('in a frontend, sandbox: %s', sandbox => {
  // A gate does not see which sandbox its frontend has.
  test.each(sandbox === 'permission' ? apps : apps.slice(-1))('%s, %s', async (_name, codec, app) => {
    const module = fixture('observability/traced-frontend.mjs')
    const bus = await startTraced(app, { codec, frontends: { main: { module, sandbox } } })
    const traces = await next<Trace[]>(bus, 'received')
    const [first] = traces
    expect(first).toEqual({ on: 'start', label: 'main', command: 'greet', id: 2, codec, stream: false })
    expect(traces.filter(({ command }) => command === 'greet').map(message => message.on)).toEqual([
      ...['start', 'end', 'asyncStart', 'asyncEnd'],
    ])
    const failed = traces.filter(({ command }) => command === 'fails')
    expect(getChannels(failed)).toEqual(['start', 'end', 'error', 'asyncStart', 'asyncEnd'])
    expect(failed.at(-1)!.error).toEqual({ code: -32000, reason: 'CommandFailed' })
    expect(traces.slice(-2)).toEqual([
      { on: 'sent', label: 'main', event: 'ping', codec },
      { on: 'received', label: 'main', event: 'pong', codec },
    ])
    expect(JSON.stringify(traces)).not.toContain('payload')
  })

  test('rethrows errors of a subscriber as uncaught exceptions, and the call goes on', async () => {
    const module = fixture('observability/throwing-subscriber.mjs')
    const bus = await startTraced({}, { frontends: { main: { module, sandbox } } })
    const uncaught = ['start', 'end', 'asyncStart', 'asyncEnd']
    expect(await next(bus, 'received')).toEqual({ answer: 'Hello, World!', uncaught })
  })
})

test('in core: traces calls of a script, which has no channels itself', async () => {
  const bus = await startTraced({})
  const greeted = next(bus, 'greeted')
  await bus.open('script', fixture('sandboxes/greeting-script.js'), { sandbox: 'quickjs', allow: ['greet'] })
  await greeted
  const client = await bus.connect('tests')
  const traces = await client.invoke<Trace[]>('traces', { label: 'script' })
  expect(traces.filter(({ command }) => command === 'greet').map(message => message.on)).toEqual(['start', 'end'])
})

test('in the host: traces calls of its clients, and its own', async () => {
  const traces: [string, CallTrace][] = []
  const names = ['start', 'asyncEnd'].map(channel => `tracing:sallyport.invoke:${channel}`)
  const keep = (trace: unknown, name: string | symbol): void =>
    void traces.push([String(name).split(':')[2]!, { ...(trace as CallTrace) }])
  const bus = await startTraced({})
  const client = await bus.connect('tests')
  const before = client.invoke('later', { name: 'x' })
  for (const name of names) subscribe(name, keep)
  try {
    await before
    await client.invoke('greet', { name: 'payload' })
    await bus.call('absent', 'x').catch(() => {})
  } finally {
    for (const name of names) unsubscribe(name, keep)
  }
  await client.invoke('greet', { name: 'x' })
  await new Promise(resolve => setTimeout(resolve, 1))
  expect(traces.map(([channel, { label, command, callee }]) => [channel, label, command, callee])).toEqual([
    ['start', 'tests', 'greet', undefined],
    ['asyncEnd', 'tests', 'greet', undefined],
    ['start', 'host', 'x', 'absent'],
    ['asyncEnd', 'host', 'x', 'absent'],
  ])
})
