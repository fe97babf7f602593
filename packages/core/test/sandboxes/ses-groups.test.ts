// Scripts of one group (`sandbox: { kind: 'ses', group }`): what each keeps for itself, and what it can do to the others.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, test } from 'vitest'
import type { Bus, BusOptions, FrontendOptions } from '../../src/index.js'
import { writeProject } from '../support/project.js'
import { start } from '../support/start.js'

const POLL = { timeout: 20_000 }

const workers: Worker[] = []
const keep = (message: unknown): void => void workers.push((message as { worker: Worker }).worker)
afterEach(() => {
  unsubscribe('worker_threads', keep)
  workers.length = 0
})

/** Starts a bus, whose frontends' threads are added to `workers`. */
async function startBus(options: Partial<BusOptions> = {}): Promise<Bus> {
  const bus = await start(options)
  subscribe('worker_threads', keep)
  return bus
}

const source = `
  let count = 0
  sallyport.expose({
    count: () => ++count,
    label: () => [sallyport.label, sallyport.getLabel(), sallyport.data],
    greet: () => sallyport.invoke('greet', { name: sallyport.label }),
    never: () => new Promise(() => {}),
    print: text => console.log(text.text),
    flood: () => { const next = () => { for (let i = 0; i < 1000; i++) console.log('x'.repeat(4000)); setTimeout(next, 1) }; next() },
    calls: () => { const next = () => sallyport.invoke('greet', { name: 'x' }).then(next, next); for (let i = 0; i < 256; i++) next() },
    tick: () => { setInterval(() => sallyport.emit('tick', sallyport.label), 10) },
    listen: async () => { await sallyport.listen('now', () => { throw new Error('in a listener') }) },
    timer: () => { setTimeout(() => { throw new Error('in a timer') }, 1) },
    microtask: () => { queueMicrotask(() => { throw new Error('in a microtask') }) },
    promise: () => { void (async () => { await null; throw new Error('in a promise') })() },
    denied: () => { void sallyport.invoke('add', { a: 1, b: 2 }) },
    later: () => { void sallyport.invoke('slow', { ms: 1 }).then(() => { throw new Error('after an answer') }) },
    spin: () => { for (;;); },
    change: () => { try { Object.prototype.changed = 1 } catch {} try { sallyport.label = 'x' } catch {} globalThis.changed = 1 },
    seen: () => [{}.changed, globalThis.changed, sallyport.label],
  })
`

const open = async (bus: Bus, labels: readonly string[], options: FrontendOptions = {}, group = 'g'): Promise<void> => {
  for (const label of labels) {
    await bus.open(label, { source, name: `${label}.js` }, { sandbox: { kind: 'ses', group }, allow: '*', ...options })
  }
}

const watch = (bus: Bus): { faults: string[]; restarts: string[]; failed: string[] } => {
  const events: Record<'faults' | 'restarts' | 'failed', string[]> = { faults: [], restarts: [], failed: [] }
  bus.on('fault', ({ label, error }) => events.faults.push(`${label}: ${error.message}`))
  bus.on('restart', ({ label }) => events.restarts.push(label))
  bus.on('failed', ({ label }) => events.failed.push(label))
  return events
}

/** Returns the number of calls of `count`, which a restart resets. */
const count = (bus: Bus, label: string): Promise<number | undefined> =>
  bus.call<number>(label, 'count').catch(() => undefined)

test('the scripts of a group share a thread, which ends with the last one', async () => {
  const bus = await startBus()
  await open(bus, ['a', 'b', 'c'])
  expect(workers).toHaveLength(1)
  await open(bus, ['d'], {}, 'another')
  await open(bus, ['e'], { sandbox: 'ses' })
  expect(workers).toHaveLength(3)
  for (const label of ['a', 'b', 'c']) await bus.closeFrontend(label)
  expect(workers.map(({ threadId }) => threadId > 0)).toEqual([false, true, true])
})

test('each script has its own client, data, state and rights', async () => {
  const bus = await startBus()
  await open(bus, ['a'], { data: 1 })
  await open(bus, ['b'], { data: 2, allow: [] })
  expect(await bus.call('a', 'label')).toEqual(['a', 'a', 1])
  expect(await bus.call('b', 'label')).toEqual(['b', 'b', 2])
  expect([await count(bus, 'a'), await count(bus, 'a'), await count(bus, 'b')]).toEqual([1, 2, 1])
  expect(await bus.call('a', 'greet')).toBe('Hello, a!')
  await expect(bus.call('b', 'greet')).rejects.toThrow(/not allowed/)
})

test('a script cannot change what another sees', async () => {
  const bus = await startBus()
  await open(bus, ['a', 'b'])
  await bus.call('a', 'change')
  expect(await bus.call('b', 'seen')).toEqual([null, null, 'b'])
})

test('a script is read from its file with each start', async () => {
  const bus = await startBus()
  const files = { 'one.js': `sallyport.expose({ it: () => 1 })`, 'two.js': `sallyport.expose({ it: () => 2 })` }
  const directory = writeProject(files)
  const sandbox = { kind: 'ses', group: 'g' } as const
  for (const label of ['one', 'two']) await bus.open(label, pathToFileURL(join(directory, `${label}.js`)), { sandbox })
  expect([await bus.call('one', 'it'), await bus.call('two', 'it')]).toEqual([1, 2])
  writeFileSync(join(directory, 'one.js'), `sallyport.expose({ it: () => 3 })`)
  await bus.reload('one')
  expect([await bus.call('one', 'it'), await bus.call('two', 'it')]).toEqual([3, 2])
})

test('output goes to the host with the label of its script', async () => {
  const bus = await startBus()
  const printed: string[] = []
  const onStdio: FrontendOptions['onStdio'] = (text, { label, stream }) => printed.push(`${label} ${stream} ${text}`)
  await open(bus, ['a', 'b'], { onStdio })
  await bus.call('a', 'print', { text: 'one' })
  await bus.call('b', 'print', { text: 'two' })
  await bus.closeFrontend('a')
  await expect.poll(() => printed, POLL).toEqual(['a stdout one\n', 'b stdout two\n'])
})

test('a script that prints without an end does not starve the others, and its lost lines are counted', async () => {
  const bus = await startBus()
  const printed: string[] = []
  await open(bus, ['a'], { onStdio: text => printed.push(text) })
  await open(bus, ['b'])
  await bus.call('a', 'flood')
  for (let i = 1; i <= 20; i++) expect(await count(bus, 'b')).toBe(i)
  await expect.poll(() => printed.some(text => /^Output lost: \d+ lines/m.test(text)), POLL).toBe(true)
})

test('a script that calls without an end does not starve the others', async () => {
  const bus = await startBus()
  await open(bus, ['a', 'b'])
  await bus.call('a', 'calls')
  for (let i = 1; i <= 20; i++) expect(await count(bus, 'b')).toBe(i)
})

describe('an error that a script does not catch ends this script alone', () => {
  test.each([
    ['timer', 'in a timer'],
    ['microtask', 'in a microtask'],
    ['promise', 'in a promise'],
    ['later', 'after an answer'],
  ])('%s', async (name, message) => {
    const bus = await startBus()
    await open(bus, ['a', 'b'])
    await count(bus, 'b')
    const { faults, restarts } = watch(bus)
    await bus.call('a', name).catch(() => {})
    await expect.poll(() => restarts, POLL).toEqual(['a'])
    await expect.poll(() => count(bus, 'a'), POLL).toBe(1)
    expect(await count(bus, 'b')).toBe(2)
    expect(faults).toEqual([`a: ${message}`])
  })

  test('in a listener', async () => {
    const bus = await startBus()
    await open(bus, ['a', 'b'])
    const { faults, restarts } = watch(bus)
    await bus.call('a', 'listen')
    await bus.emit('now')
    await expect.poll(() => restarts, POLL).toEqual(['a'])
    expect(await count(bus, 'b')).toBe(1)
    expect(faults).toEqual(['a: in a listener'])
  })

  test('from a denied call', async () => {
    const bus = await startBus()
    await open(bus, ['a'], { allow: [] })
    await open(bus, ['b'])
    const { faults, restarts } = watch(bus)
    await bus.call('a', 'denied').catch(() => {})
    await expect.poll(() => restarts, POLL).toEqual(['a'])
    expect(await count(bus, 'b')).toBe(1)
    expect(faults).toEqual([expect.stringMatching(/^a: .*not allowed/)])
  })
})

test('a script that does not load fails alone', async () => {
  const bus = await startBus()
  await open(bus, ['a'])
  const sandbox = { kind: 'ses', group: 'g' } as const
  const broken = bus.open('b', { source: 'throw new Error("no")', name: 'b.js' }, { sandbox })
  await expect(broken).rejects.toThrow('no')
  await expect(bus.open('b', { source: 'import "node:fs"', name: 'b.js' }, { sandbox })).rejects.toThrow(/b\.js/)
  expect(await count(bus, 'a')).toBe(1)
  expect(workers).toHaveLength(1)
})

test('limits that differ from those of the running thread are refused', async () => {
  const bus = await startBus()
  await open(bus, ['a'])
  const sandbox = { kind: 'ses', group: 'g', resourceLimits: { maxOldGenerationSizeMb: 64 } } as const
  await expect(open(bus, ['b'], { sandbox })).rejects.toThrow(
    'sandbox.resourceLimits differ from those of the running thread. ' +
      'Use the same limits for each member of the group "g", or another group',
  )
  expect(await count(bus, 'a')).toBe(1)
})

test('a closed script stops its timers, and settles its calls', async () => {
  const bus = await startBus()
  await open(bus, ['a', 'b'])
  const ticks: string[] = []
  await bus.listen<string>('tick', ({ payload }) => void ticks.push(payload))
  for (const label of ['a', 'b']) await bus.call(label, 'tick')
  await expect.poll(() => new Set(ticks).size, POLL).toBe(2)
  const pending = bus.call('a', 'never').catch((error: Error) => error)
  await bus.closeFrontend('a')
  expect(await pending).toMatchObject({ reason: 'Disconnected' })
  ticks.length = 0
  await expect.poll(() => ticks.length, POLL).toBeGreaterThan(5)
  expect(new Set(ticks)).toEqual(new Set(['b']))
})

test('a script that does not return restarts the group', { timeout: 30_000 }, async () => {
  const bus = await startBus({ supervision: { heartbeat: 1000 } })
  await open(bus, ['a', 'b'])
  await count(bus, 'b')
  const { restarts } = watch(bus)
  const pending = bus.call('b', 'never').catch((error: Error) => error)
  await expect(bus.call('a', 'spin')).rejects.toMatchObject({ reason: 'Disconnected' })
  expect(await pending).toMatchObject({ reason: 'Disconnected' })
  await expect.poll(() => restarts.toSorted(), POLL).toEqual(['a', 'b'])
  for (const label of ['a', 'b']) await expect.poll(() => count(bus, label), POLL).toBe(1)
})

test('the end of the thread restarts all of its scripts', async () => {
  const bus = await startBus()
  await open(bus, ['a', 'b'])
  const { faults, restarts } = watch(bus)
  await workers[0]!.terminate()
  await expect.poll(() => restarts.toSorted(), POLL).toEqual(['a', 'b'])
  for (const label of ['a', 'b']) await expect.poll(() => count(bus, label), POLL).toBe(1)
  expect(faults.toSorted()).toEqual(['a', 'b'].map(label => `${label}: frontend "${label}" exited with code 1`))
})

test('code runs once in the thread of a group', async () => {
  const bus = await startBus()
  await open(bus, ['a'])
  const sandbox = { kind: 'ses', group: 'g' } as const
  const run = (code: string) => bus.run(code, { sandbox, allow: ['greet'], timeout: 5000 })
  expect(await run(`return await invoke('greet', { name: 'x' })`)).toBe('Hello, x!')
  await expect(run(`throw new Error('no')`)).rejects.toThrow('no')
  expect(await count(bus, 'a')).toBe(1)
  expect(workers).toHaveLength(1)
})

test('a bus with a script that does not return closes', async () => {
  const bus = await startBus()
  await open(bus, ['a', 'b'])
  bus.call('a', 'spin').catch(() => {})
  await bus.close({ timeout: 0 })
  expect(workers.map(({ threadId }) => threadId)).toEqual([-1])
})
