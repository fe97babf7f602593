// bus.reload over real threads, in both patterns.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { choose } from '../../../../../scripts/testing.js'
import type { Bus, Client } from '../../../src/index.js'
import { fixture, isolation, next, start } from '../../support/start.js'
import { at, eventually, disconnected, patientPatterns, supervise } from '../../support/supervised.js'

/** The state arrives at the host by another port than events and answers, in no order with them. */
const expectRunning = (bus: Bus) =>
  expect.poll(async () => (await bus.stats()).frontends['main']).toMatchObject({ state: 'running', restarts: 0 })

const getThread = (client: Client): Promise<number> => client.invoke<number>('which')

describe.each(patientPatterns)('bus.reload, %s', (_name, app) => {
  test('replaces the thread of core, settles calls, keeps listeners, and counts no restart', async () => {
    const { bus, events } = await supervise({ ...app, supervision: { intensity: 0 } })
    const client = await bus.connect('tests')
    const received: unknown[] = []
    await client.listen('pong', ({ payload }) => received.push(payload))
    const threads = new Set([await getThread(client)])
    for (let generation = 2; generation < 4; generation++) {
      const waiting = client.invoke('wait')
      waiting.catch(() => {})
      await getThread(client)
      await bus.reload('core')
      await expect(waiting).rejects.toMatchObject(disconnected('unknown'))
      threads.add(await getThread(client))
      expect(threads.size).toBe(generation)
    }
    await client.emit('ping', 'again')
    await expect.poll(() => received).toEqual(['again'])
    expect(events).toEqual([])
    expect((await bus.stats()).core).toMatchObject({ state: 'running', restarts: 0 })
  })

  test.each(choose(['none', 'permission', 'process'] as const))(
    'restarts a frontend with sandbox %s',
    async sandbox => {
      const source = `import { emit, expose, invoke } from '${import.meta.resolve('@sallyport/frontend')}'
      const id = crypto.randomUUID()
      expose({ alive: () => id })
      await emit('started', await invoke('which'))`
      const { bus, events } = await supervise({ ...app, supervision: { intensity: 0 } })
      const started = next(bus, 'started')
      await bus.open('main', at(source), { sandbox, allow: ['which'] })
      await started
      const alive = await bus.call('main', 'alive')
      const restarted = next(bus, 'started')
      await bus.reload('main')
      await restarted
      expect(await bus.call('main', 'alive')).not.toBe(alive)
      expect(events).toEqual([])
      await expectRunning(bus)
    },
  )
})

test('ends a run, although its gate returns with another link', async () => {
  const bus = await start(isolation('judge'))
  const source = `console.log('begun'); await new Promise(() => {})`
  for (const label of ['first', 'second']) {
    let begin = (): void => {}
    const begun = new Promise<void>(resolve => (begin = resolve))
    const running = bus.run(source, { label, sandbox: 'permission', onStdio: () => begin() })
    await begun
    const reloaded = bus.reload(label).catch(() => {})
    await expect(running).rejects.toMatchObject({ reason: 'Disconnected' })
    await reloaded
  }
})

describe('a module that no longer loads', () => {
  let directory: string
  beforeEach(async () => (directory = await mkdtemp(join(tmpdir(), 'sallyport-reload-'))))
  afterEach(() => rm(directory, { recursive: true }))

  const exposing = (version: number) =>
    `import { expose } from '${import.meta.resolve('@sallyport/frontend')}'\nexpose({ version: () => ${version} })`

  const places = choose([
    ['none', {}],
    ['process', {}],
    ['permission', patientPatterns.at(-1)![1]],
  ] as const)

  test.each(places)('rejects the reload, and can be reloaded once it is repaired: sandbox %s', async (sandbox, app) => {
    const module = join(directory, 'plugin.mjs')
    await writeFile(module, exposing(1))
    const { bus, events } = await supervise(app)
    await bus.open('plugin', module, { sandbox })
    await writeFile(module, 'const a = (')
    const failure = expect.stringMatching(/^Unexpected end of input \(.*plugin\.mjs:1\)$/) as string
    await expect(bus.reload('plugin')).rejects.toMatchObject({ message: failure })
    expect(events).toMatchObject([
      { name: 'fault', label: 'plugin', error: { message: failure } },
      { name: 'failed', label: 'plugin', error: { message: failure } },
    ])
    const gone = expect.stringMatching(/^There is no frontend "plugin": it failed: Unexpected end of input/) as string
    await expect(bus.call('plugin', 'version')).rejects.toMatchObject({ reason: 'Disconnected', message: gone })
    await expect(bus.reload('plugin')).rejects.toMatchObject({ message: failure })
    expect((await bus.stats()).frontends['plugin']).toMatchObject({ state: 'failed' })
    await writeFile(module, exposing(2))
    await bus.reload('plugin')
    expect(await bus.call('plugin', 'version')).toBe(2)
  })

  test('rejects the reload in `dev` too, where the frontend waits', async () => {
    const module = join(directory, 'plugin.mjs')
    await writeFile(module, exposing(1))
    const bus = await start({ dev: true, frontends: { plugin: module } })
    await writeFile(module, 'throw new Error("not yet")')
    await expect(bus.reload('plugin')).rejects.toThrow('not yet')
    await expect.poll(async () => (await bus.stats()).frontends['plugin']?.state).toBe('waiting')
  })
})

test('resolves when the module has been evaluated', async () => {
  const evaluated = new SharedArrayBuffer(4)
  const source = `import { getData } from '${import.meta.resolve('@sallyport/frontend')}'
    for (let turns = 0; turns < 100; turns++) await new Promise(resolve => setImmediate(resolve))
    Atomics.add(new Int32Array(getData()), 0, 1)`
  const { bus } = await supervise()
  await bus.open('main', at(source), { data: evaluated, sandbox: 'none' })
  await bus.reload('main')
  expect(new Int32Array(evaluated)[0]).toBe(2)
})

test('a frontend that has finished can be reloaded, and is forgotten when it is closed', async () => {
  const { bus } = await supervise()
  const finish = () => expect(bus.call('main', 'end', { how: 'finish' })).rejects.toThrow('it exited with code 0')
  await bus.open('main', fixture('supervision/ending.mjs'))
  await finish()
  await eventually(() => bus.reload('main'))
  await finish()
  await eventually(() => bus.closeFrontend('main'))
  expect((await bus.stats()).frontends).toEqual({})
  await expect(bus.reload('main')).rejects.toThrow('There is no frontend "main"')
})

test('rejects unknown names, and connections and cores without a module', async () => {
  const bus = await start({ core: { commands: { add: () => 1 } } })
  await bus.connect('tests')
  await expect(bus.reload('core')).rejects.toThrow('bus.reload: core runs in this thread and has no module')
  await expect(bus.reload('tests')).rejects.toThrow(
    'bus.reload: "tests" has no module to reload: it is a connection of the host, or a run',
  )
  await expect(bus.reload('test')).rejects.toMatchObject({
    reason: 'Disconnected',
    message: 'There is no frontend "test" (did you mean "tests"?)',
    data: { delivered: 'no' },
  })
  await bus.close()
  await expect(bus.reload('core')).rejects.toMatchObject({ reason: 'Disconnected' })
})

test('reloads the hook of a connection', async () => {
  const [, app] = patientPatterns.at(-1)!
  const { bus } = await supervise(app)
  const client = await bus.connect('tests')
  const thread = await getThread(client)
  await bus.reload('tests')
  expect(await eventually(() => getThread(client))).toBe(thread)
  await expect
    .poll(async () => (await bus.stats()).frontends['tests'])
    .toMatchObject({ gate: { state: 'running', restarts: 0 } })
})
