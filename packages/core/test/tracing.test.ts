// What diagnostics channels tell in the threads of real buses: in core, in frontends wherever their code runs, in the host.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { Bus, BusEvents, BusOptions, CallTrace, Client, CodecName, EventTrace } from '../src/index.js'
import { fixture, isolation, next, start } from './start.js'

type Told = { on: string } & Partial<CallTrace & EventTrace>

const permissions = [
  ...['greet', 'later', 'fails', 'fails-later', 'unsendable', 'until-aborted', 'numbers', 'store', 'told'],
  'break-tracing',
].map(name => `allow-${name}`)
const capability = { identifier: 'traced', windows: ['*'], permissions }

const apps: [name: string, codec: CodecName, app: NonNullable<BusOptions['app']>][] = [
  ['brownfield', 'json', { security: { capabilities: [capability] } }],
  ['isolation', 'msgpack', isolation(undefined, {}, capability)],
]

const startTraced = (app: BusOptions['app'], options: Partial<BusOptions> = {}): Promise<Bus> =>
  start({ core: fixture('traced-core.mjs'), ...(app && { app }), ...options })

const on = (told: readonly Told[]): string[] => told.map(message => message.on)

describe.each(apps)('in core: %s, %s', (_name, codec, app) => {
  let bus: Bus
  let client: Client
  const open = async (): Promise<void> => {
    bus = await startTraced(app)
    client = await bus.connect('tests', { codec })
  }
  /** What core tells of this command, all in all. */
  const toldOf = async (command: string): Promise<Told[]> =>
    (await client.invoke<Told[]>('told')).filter(message => message.command === command)
  const fails = (command: string): Promise<unknown> =>
    client.invoke(command, { name: 'payload' }, { headers: { h: 'payload' } }).then(
      () => undefined,
      (error: unknown) => error,
    )

  test('a command that answers at once, one that takes its time, and a stream', async () => {
    await open()
    await client.invoke('greet', { name: 'payload' })
    await client.invoke('later', { name: 'payload' })
    for await (const value of client.stream('numbers', { to: 3 })) expect(value).toBeTypeOf('number')
    const greet = { label: 'tests', command: 'greet', id: 1, codec, stream: false }
    expect(await toldOf('greet')).toEqual([
      { on: 'start', ...greet },
      { on: 'end', ...greet },
    ])
    const later = await toldOf('later')
    expect(on(later)).toEqual(['start', 'end', 'asyncStart', 'asyncEnd'])
    expect(later.every(({ id, error }) => id === 2 && error === undefined)).toBe(true)
    const numbers = await toldOf('numbers')
    expect(on(numbers)).toEqual(['start', 'end', 'asyncStart', 'asyncEnd'])
    expect(numbers.every(({ stream }) => stream)).toBe(true)
  })

  test('what fails: at once, later, by its result, or because it may not be called', async () => {
    await open()
    for (const [command, reason, happenings] of [
      ['fails', 'CommandFailed', ['start', 'error', 'end']],
      ['fails_later', 'CommandFailed', ['start', 'end', 'error', 'asyncStart', 'asyncEnd']],
      ['unsendable', 'InternalError', ['start', 'error', 'end']],
      ['secret', 'Denied', ['start', 'error', 'end']],
      ['missing', 'MethodNotFound', ['start', 'error', 'end']],
    ] as const) {
      const outcome = await fails(command)
      expect(outcome).toMatchObject({ reason })
      const told = await toldOf(command)
      expect(on(told), command).toEqual(happenings)
      expect(told.at(-1)!.error).toEqual({ code: (outcome as { code: number }).code, reason })
      expect(JSON.stringify(told)).not.toContain('payload')
    }
  })

  test('a call that was given up ends when its handler does', async () => {
    await open()
    const controller = new AbortController()
    const cancelled = client.invoke('until_aborted', {}, { signal: controller.signal })
    expect(on(await toldOf('until_aborted'))).toEqual(['start', 'end'])
    controller.abort()
    await expect(cancelled).rejects.toMatchObject({ reason: 'Cancelled' })
    await expect(client.invoke('until_aborted', {}, { timeout: 1 })).rejects.toMatchObject({ reason: 'Timeout' })
    await client.invoke('later', {})
    const told = await toldOf('until_aborted')
    const calls = [...new Set(told.map(({ id }) => id))].map(id => told.filter(message => message.id === id))
    expect(calls.map(on)).toEqual(Array(2).fill(['start', 'end', 'error', 'asyncStart', 'asyncEnd']))
    // To core both are cancels.
    expect(calls.map(call => call.at(-1)!.error!.reason)).toEqual(['Cancelled', 'Cancelled'])
  })

  test('a call whose frontend has gone ends as disconnected', async () => {
    await open()
    client.invoke('until_aborted').catch(() => {})
    await client.close()
    await expect
      .poll(() =>
        bus.connect('tests', { codec }).then(
          again => (client = again),
          () => {},
        ),
      )
      .toBeTruthy()
    await expect.poll(async () => on(await toldOf('until_aborted'))).toContain('asyncEnd')
    const told = await toldOf('until_aborted')
    expect(on(told)).toEqual(['start', 'end', 'error', 'asyncStart', 'asyncEnd'])
    expect(told.at(-1)!.error!.reason).toBe('Disconnected')
  })

  test('events that it gets and sends', async () => {
    await open()
    const pong = next(client as unknown as Bus, 'pong')
    await client.emit('ping', 'payload')
    await pong
    const told = (await client.invoke<Told[]>('told')).filter(({ event }) => event !== undefined)
    expect(told).toEqual([
      { on: 'received', label: 'tests', event: 'ping', codec },
      { on: 'sent', label: 'tests', event: 'pong', codec },
    ])
    // An event comes as a command that nobody waits for.
    const emits = await toldOf('plugin:event|emit')
    expect(emits.map(({ on: happening, id }) => [happening, id])).toEqual([
      ['start', undefined],
      ['end', undefined],
    ])
  })

  test('a store that is bound to a command is its handler’s, all along', async () => {
    await open()
    await client.invoke('greet', { name: 'x' })
    expect(await Promise.all([client.invoke('store'), client.invoke('store')])).toEqual(['store 2', 'store 3'])
  })

  test('a subscriber that throws ends core, as any exception that nobody catches, and the bus starts it again', async () => {
    await open()
    const fault = new Promise<BusEvents['fault']>(resolve => void bus.on('fault', resolve))
    await client.invoke('break_tracing')
    await client.invoke('greet', { name: 'World' }).catch(() => {})
    expect((await fault).error.message).toContain('a subscriber throws')
    await expect.poll(() => client.invoke('greet', { name: 'World' }).catch(() => {})).toBe('Hello, World!')
  })
})

describe.each(['none', 'permission', 'process'] as const)('in a frontend, sandbox: %s', sandbox => {
  test.each(apps)('%s, %s', async (_name, codec, app) => {
    const module = fixture('traced-frontend.mjs')
    const bus = await startTraced(app, { frontends: { main: { module, sandbox, codec } } })
    const told = await next<Told[]>(bus, 'heard')
    const [first] = told
    expect(first).toEqual({ on: 'start', label: 'main', command: 'greet', id: 2, codec, stream: false })
    expect(told.filter(({ command }) => command === 'greet').map(message => message.on)).toEqual([
      ...['start', 'end', 'asyncStart', 'asyncEnd'],
    ])
    const failed = told.filter(({ command }) => command === 'fails')
    expect(on(failed)).toEqual(['start', 'end', 'error', 'asyncStart', 'asyncEnd'])
    expect(failed.at(-1)!.error).toEqual({ code: -32000, reason: 'CommandFailed' })
    expect(told.slice(-2)).toEqual([
      { on: 'sent', label: 'main', event: 'ping', codec },
      { on: 'received', label: 'main', event: 'pong', codec },
    ])
    expect(JSON.stringify(told)).not.toContain('payload')
  })

  test('a subscriber that throws breaks no call: what it throws is an uncaught exception of that thread', async () => {
    const module = fixture('throwing-subscriber.mjs')
    const bus = await startTraced(undefined, { frontends: { main: { module, sandbox } } })
    const uncaught = ['start', 'end', 'asyncStart', 'asyncEnd']
    expect(await next(bus, 'heard')).toEqual({ answer: 'Hello, World!', uncaught })
  })
})

test('of a script, which hears nothing itself, core hears', async () => {
  const bus = await startTraced(undefined)
  const greeted = next(bus, 'greeted')
  await bus.open('script', fixture('ses/greets.js'), { sandbox: 'ses' })
  await greeted
  const client = await bus.connect('tests')
  const told = await client.invoke<Told[]>('told', { label: 'script' })
  expect(told.filter(({ command }) => command === 'greet').map(message => message.on)).toEqual(['start', 'end'])
})

test('in the host: the calls of its clients, and its own', async () => {
  const told: [string, CallTrace][] = []
  const names = ['start', 'asyncEnd'].map(happening => `tracing:sallyport.invoke:${happening}`)
  const keep = (trace: unknown, name: string | symbol): void =>
    void told.push([String(name).split(':')[2]!, { ...(trace as CallTrace) }])
  const bus = await startTraced(undefined)
  const client = await bus.connect('tests')
  const before = client.invoke('later', { name: 'x' })
  for (const name of names) subscribe(name, keep)
  try {
    await before
    await client.invoke('greet', { name: 'payload' })
    await bus.call('nobody', 'x').catch(() => {})
  } finally {
    for (const name of names) unsubscribe(name, keep)
  }
  await client.invoke('greet', { name: 'x' })
  await delay(1)
  expect(told.map(([happening, { label, command }]) => [happening, label, command])).toEqual([
    ['start', 'tests', 'greet'],
    ['asyncEnd', 'tests', 'greet'],
    ['start', 'host', 'plugin:host|call'],
    ['asyncEnd', 'host', 'plugin:host|call'],
  ])
})
