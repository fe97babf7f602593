// The close of a bus or of a frontend in the middle of calls: healthy workers cause no reports, and no worker restarts.
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { choose, rows } from '../../../../../scripts/testing.js'
import { type Bus, type BusOptions, defineCore, type FrontendOptions } from '../../../src/index.js'
import { fixture, isolation, next, start } from '../../support/start.js'

type Behaviour = 'loop' | 'waits' | 'fails'

interface Watched {
  bus: Bus
  /** Names of the events that the bus has emitted. */
  events: string[]
  /** Messages of the log about faults and restarts. On a busy machine there are others, about slow ends. */
  logged: string[]
}

async function watch(behaviour: Behaviour, options: Partial<BusOptions> & { sandbox?: string } = {}): Promise<Watched> {
  const events: string[] = []
  const logged: string[] = []
  const { sandbox = 'none', ...rest } = options
  const write = (line: string): void => {
    const { msg } = JSON.parse(line) as { msg: string }
    if (/^(?:fault|failed|restarting|waiting)/.test(msg)) logged.push(msg)
  }
  const bus = await start({ log: pino({ level: 'info' }, { write }), ...rest })
  const ready = next(bus, 'closing-ready')
  const config = { allow: '*', sandbox, data: { behaviour } } as FrontendOptions
  await bus.open('main', fixture('supervision/closing.mjs'), config)
  await ready
  for (const name of ['fault', 'restart', 'failed', 'exited'] as const) bus.on(name, () => void events.push(name))
  logged.length = 0
  return { bus, events, logged }
}

test('a frontend that calls without an await while the bus closes is not reported', () =>
  rows<readonly [what: string, options: Partial<BusOptions> & { sandbox?: string }]>([
    ['a thread', {}],
    ['a sandboxed thread', { sandbox: 'permission' }],
    ['a process', { sandbox: 'process' }],
    ['a script', { sandbox: 'quickjs' }],
    ['a thread behind a hook', { ...isolation('judge') }],
    ['a thread in development', { dev: true }],
    ['a thread that always restarts', { supervision: { restart: 'permanent' } }],
  ])(async (_what, options) => {
    const { bus, events, logged } = await watch('loop', options)
    // Until this call is cut off, core rejects further ones.
    const client = await bus.connect('caller', { allow: '*' })
    client.invoke('never_ends').catch(() => {})
    await expect.poll(async () => (await bus.stats()).frontends['caller']!.inFlight).toBe(1)
    await bus.close({ timeout: 1 })
    expect({ events, logged }).toEqual({ events: [], logged: [] })
  }))

test('a call that the close of the bus or of its frontend cuts off is not reported as a fault', () =>
  rows(choose(['none', 'process']))(async sandbox => {
    for (const close of [(bus: Bus) => bus.close({ timeout: 1 }), (bus: Bus) => bus.closeFrontend('main')]) {
      const { bus, events, logged } = await watch('waits', { sandbox })
      await close(bus)
      expect({ events, logged }).toEqual({ events: [], logged: [] })
    }
  }))

test('a bug that shows while the bus closes is reported once, and the frontend neither restarts nor fails for it', async () => {
  let fail!: (error: Error) => void
  let answer!: () => void
  const core = defineCore({
    commands: {
      greet: () => 'Hello!',
      never_ends: () => new Promise((_resolve, reject) => (fail = reject)),
      hold: () => new Promise<void>(resolve => (answer = resolve)),
    },
  })
  const { bus, events, logged } = await watch('fails', { core })
  bus.on('fault', ({ error }) => void events.push(error.message))
  const client = await bus.connect('caller', { allow: '*' })
  const held = client.invoke('hold')
  await client.invoke('greet')
  const closed = bus.close({ timeout: 60_000 })
  fail(new Error('too late'))
  const reported = ['fault', 'a bug of the frontend']
  await expect.poll(() => events).toEqual(reported)
  answer()
  await Promise.all([held, closed])
  expect(events).toEqual(reported)
  expect(logged).toEqual(['fault'])
})

test('close does not wait for the calls that a connection makes meanwhile', () =>
  rows({ 'to core': {}, 'to a hook': { ...isolation('judge') } })(async options => {
    const bus = await start(options)
    const client = await bus.connect('busy', { allow: '*' })
    // The calls overlap: the connection always waits for some.
    const timer = setInterval(() => void client.invoke('slow', { ms: 200, value: 1 }).catch(() => {}), 1)
    await expect.poll(async () => (await bus.stats()).frontends['busy']!.inFlight).toBeGreaterThan(1)
    // Beyond the limit of the test.
    await bus.close({ timeout: 600_000 })
    clearInterval(timer)
  }))
