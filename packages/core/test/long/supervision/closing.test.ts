// The close of a bus or of a frontend in the middle of calls: healthy workers cause no reports, and no worker restarts.
import { collectWorkers, workers } from '../../support/shared-threads.js'
import { pino } from 'pino'
import { expect, test, describe } from 'vitest'
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

// Calls that a plugin makes while the bus waits for the calls in flight.
describe('calls of a plugin during the close', () => {
  const source = `
  import { invoke } from '@sallyport/frontend'
  const print = text => process.stdout.write(text + '\\n')
  invoke('slow').then(() => print('answered'), error => print('cut off: ' + error.message))
  const timer = setInterval(() => {
    invoke('greet', { name: 'World' }).catch(error => {
      clearInterval(timer)
      print('refused: ' + error.reason + ' ' + error.message + ' ' + JSON.stringify(error.data))
    })
  }, 20)
`

  test.each(choose(['permission', 'process'] as const))(
    'a call that a plugin makes while close waits is refused, and the one in flight is answered: %s',
    async sandbox => {
      let output = ''
      let answer = (): void => {}
      const slow = (): Promise<void> => new Promise(resolve => (answer = resolve))
      const bus = await start({ core: { commands: { slow, greet: () => 'Hello!' } } })
      const onStdio = (text: string): void => {
        output += text
        if (output.includes('refused')) answer()
      }
      await bus.open('plugin', { source, name: 'plugin.js' }, { sandbox, allow: '*', onStdio })
      await bus.close({ timeout: 600_000 })
      expect(output).toContain('answered\n')
      expect(output).toContain('refused: Disconnected The bus is closing {"code":"CLOSED","delivered":"no"}\n')
      expect(output).not.toContain('cut off')
    },
  )
})

// The close of a frontend that has sent far more than core has served: nothing of that starts later.
describe('a frontend that has sent far more than was served', () => {
  const ways = choose(
    [
      ['none', 'calls'],
      ['none', 'streams'],
      ['permission', 'calls'],
      ['process', 'calls'],
      ['process', 'streams'],
    ] as const,
    0,
    -1,
  )

  test.each(ways)('closeFrontend ends what the frontend has queued: sandbox %s, %s', async (sandbox, behaviour) => {
    const bus = await start({ core: fixture('supervision/flooded-core.mjs') })
    const faults: unknown[] = []
    bus.on('fault', ({ error }) => void faults.push(error))
    const judge = await bus.connect('judge', { allow: '*' })
    const getCounts = () => judge.invoke<{ started: number; open: number }>('counts')
    const config = { allow: '*', sandbox, data: { behaviour } } as FrontendOptions
    await bus.open('bad', fixture('supervision/flooding.mjs'), config)
    // The relay of a process, too, ends while core serves what the process has sent.
    await expect.poll(async () => (await getCounts()).started).toBeGreaterThan(100)

    await bus.closeFrontend('bad')
    await expect.poll(async () => (await getCounts()).open).toBe(0)
    const { started } = await getCounts()
    // It has sent 15,000 calls, or streams without an end.
    if (behaviour === 'calls') expect(started).toBeLessThan(15_000)
    for (let i = 0; i < 50; i++) expect(await getCounts()).toEqual({ started, open: 0 })
    // If core had not taken all of it when the time was over, the host learns of that once.
    const unsent = expect.objectContaining({ reason: 'Timeout', data: { unsent: 'unknown' } }) as unknown
    expect([[], [unsent]]).toContainEqual(faults)
  })
})

// The close of a frontend whose code computes at that moment.
describe('code that computes at the end', () => {
  /** Longer than the test may take. */
  const FOREVER = 600_000

  describe.each(choose(['none', 'permission', 'process'] as const))('sandbox %s', sandbox => {
    async function openBusy(ms: number): Promise<{ bus: Bus; getOutput(): string }> {
      let output = ''
      const bus = await start()
      const onStdio = (text: string): void => void (output += text)
      await bus.open('main', fixture('supervision/busy.mjs'), { sandbox, allow: '*', onStdio })
      const computing = next(bus, 'computing')
      bus.call('main', 'compute', { ms }).catch(() => {})
      await computing
      return { bus, getOutput: () => output }
    }

    test('code that runs on is ended without its exit handlers, and the label is free', async () => {
      const { bus, getOutput } = await openBusy(FOREVER)
      await bus.closeFrontend('main')
      expect(bus.frontends()).toEqual([])
      expect(getOutput()).not.toContain('exit handler')
      await bus.open('main', fixture('supervision/busy.mjs'), { sandbox, allow: '*' })
    })

    test('`timeout` gives it the time to end by itself', async () => {
      const { bus, getOutput } = await openBusy(700)
      await bus.closeFrontend('main', { timeout: FOREVER })
      expect(getOutput()).toContain('exit handler')
    })
  })

  // Before, V8 does not always stop such a loop: docs/reference/security.md.
  test.runIf(Number.parseInt(process.versions.node) >= 24)('a loop that only allocates is ended, too', async () => {
    collectWorkers()
    const bus = await start()
    const source = `
    import { emit, expose } from '@sallyport/frontend'
    expose({ async loop() {
      await emit('computing')
      for (;;) new Array(1000)
    } })`
    await bus.open('main', { source, name: 'main.js' }, { allow: '*' })
    const computing = next(bus, 'computing')
    bus.call('main', 'loop').catch(() => {})
    await computing
    const running = workers.filter(({ threadId }) => threadId !== -1)
    await bus.closeFrontend('main')
    await expect.poll(() => running.filter(({ threadId }) => threadId === -1)).not.toEqual([])
    expect(bus.frontends()).toEqual([])
  })

  test('refuses another `timeout` than milliseconds', async () => {
    const bus = await start()
    for (const timeout of [-1, NaN, Infinity, '1' as never]) {
      await expect(bus.closeFrontend('main', { timeout })).rejects.toMatchObject({ reason: 'InvalidParams' })
    }
  })
})
