// Workers that are loaded again because somebody asks for it: over real threads, in both patterns.
import { describe, expect, test } from 'vitest'
import type { Client } from '../src/index.js'
import { fixture, next, start } from './start.js'
import { at, eventually, disconnected, patterns, supervise } from './supervised.js'

const threadOf = (client: Client): Promise<number> => client.invoke<number>('which')

describe.each(patterns)('bus.reload, %s', (_name, app) => {
  test('core: another thread, calls settle, listeners stay, and nothing counts as a restart', async () => {
    const { bus, told } = await supervise({ app, supervision: { intensity: 0 } })
    const client = await bus.connect('tests')
    const heard: unknown[] = []
    await client.listen('pong', ({ payload }) => heard.push(payload))
    const threads = new Set([await threadOf(client)])
    for (let life = 2; life < 5; life++) {
      const waiting = client.invoke('wait')
      waiting.catch(() => {})
      await threadOf(client)
      await bus.reload('core')
      await expect(waiting).rejects.toMatchObject(disconnected('unknown'))
      threads.add(await threadOf(client))
      expect(threads.size).toBe(life)
    }
    await client.emit('ping', 'again')
    await expect.poll(() => heard).toEqual(['again'])
    expect(told).toEqual([])
    expect((await bus.stats()).core).toMatchObject({ state: 'running', restarts: 0 })
  })

  test.each(['none', 'permission', 'process'] as const)('a frontend, sandbox: %s', async sandbox => {
    const source = `import { emit, expose, invoke } from '${import.meta.resolve('@sallyport/frontend')}'
      import { threadId } from 'node:worker_threads'
      expose({ alive: () => process.pid + '.' + threadId })
      await emit('there', await invoke('which'))`
    const { bus, told } = await supervise({ app, supervision: { intensity: 0 } })
    const there = next(bus, 'there')
    await bus.open('main', at(source), { sandbox })
    await there
    const alive = await bus.call('main', 'alive')
    const again = next(bus, 'there')
    await bus.reload('main')
    await again
    expect(await bus.call('main', 'alive')).not.toBe(alive)
    expect(told).toEqual([])
    expect((await bus.stats()).frontends['main']).toMatchObject({ state: 'running', restarts: 0 })
  })
})

test('what there is not, or has no module, is named', async () => {
  const bus = await start({ core: { commands: { add: () => 1 } } })
  await bus.connect('tests')
  await expect(bus.reload('core')).rejects.toThrow('bus.reload: core runs in this thread and has no module')
  await expect(bus.reload('tests')).rejects.toThrow(
    'bus.reload: "tests" is a connection of the host and has no module to reload',
  )
  await expect(bus.reload('test')).rejects.toMatchObject({
    reason: 'InvalidParams',
    message: 'bus.reload: there is no frontend "test" (did you mean "tests"?)',
  })
  await bus.close()
  await expect(bus.reload('core')).rejects.toMatchObject({ reason: 'Disconnected' })
})

test('the hook of a connection is loaded again', async () => {
  const [, app] = patterns[1]!
  const { bus } = await supervise({ app })
  const client = await bus.connect('tests')
  const thread = await threadOf(client)
  await bus.reload('tests')
  expect(await eventually(() => threadOf(client))).toBe(thread)
  expect((await bus.stats()).frontends['tests']).toMatchObject({ gate: { state: 'running', restarts: 0 } })
})

test('a process is linked again as another one, when core is reloaded, and that counts as no restart', async () => {
  const frontends = { main: { module: fixture('main.mjs'), sandbox: 'process' as const } }
  const { bus, told } = await supervise({ core: fixture('core.mjs'), frontends, supervision: { intensity: 0 } })
  let starts = 0
  await bus.listen('main-ready', () => starts++)
  await expect.poll(() => starts).toBe(1)
  await bus.reload('core')
  await expect.poll(() => starts).toBe(2)
  expect((await bus.stats()).frontends['main']).toMatchObject({ state: 'running', restarts: 0 })
  expect(told).toEqual([])
})
