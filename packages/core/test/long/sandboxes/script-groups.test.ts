// Scripts of one group (`sandbox: { kind: 'quickjs', group }`): what each keeps for itself, and what it can do to the others.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, test } from 'vitest'
import type { FrontendOptions } from '../../../src/index.js'
import { writeProject } from '../../support/project.js'
import { count, open, startBus } from '../../support/scripts.js'
import { watch, workers } from '../../support/shared-threads.js'
import { rows } from '../../../../../scripts/testing.js'

test('the scripts of a group share a thread, which ends with the last one', async () => {
  const bus = await startBus()
  await open(bus, ['a', 'b', 'c'])
  expect(workers).toHaveLength(1)
  await open(bus, ['d'], {}, 'another')
  await open(bus, ['e'], { sandbox: 'quickjs' })
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
  const sandbox = { kind: 'quickjs', group: 'g' } as const
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
  await expect.poll(() => printed).toEqual(['a stdout one\n', 'b stdout two\n'])
})

describe('an error that a script does not catch ends this script alone', () => {
  test('in a timer, a microtask, a promise, or after an answer', async () => {
    const bus = await startBus()
    await rows([
      ['timer', 'in a timer'],
      ['microtask', 'in a microtask'],
      ['promise', 'in a promise'],
      ['later', 'after an answer'],
      ['proxy', '[object Object]'],
    ])(async (name, message) => {
      const [a, b] = [`${name}-a`, `${name}-b`] as const
      await open(bus, [a, b])
      await count(bus, b)
      const { faults, restarts } = watch(bus)
      await bus.call(a, name).catch(() => {})
      await expect.poll(() => restarts).toEqual([a])
      await expect.poll(() => count(bus, a)).toBe(1)
      expect(await count(bus, b)).toBe(2)
      expect(faults).toEqual([`${a}: ${message}`])
    })
  })

  test('in a listener', async () => {
    const bus = await startBus()
    await open(bus, ['a', 'b'])
    const { faults, restarts } = watch(bus)
    await bus.call('a', 'listen')
    await bus.emit('now')
    await expect.poll(() => restarts).toEqual(['a'])
    expect(await count(bus, 'b')).toBe(1)
    expect(faults).toEqual(['a: in a listener'])
  })

  test('from a denied call', async () => {
    const bus = await startBus()
    await open(bus, ['a'], { allow: [] })
    await open(bus, ['b'])
    const { faults, restarts } = watch(bus)
    await bus.call('a', 'denied').catch(() => {})
    await expect.poll(() => restarts).toEqual(['a'])
    expect(await count(bus, 'b')).toBe(1)
    expect(faults).toEqual([expect.stringMatching(/^a: .*not allowed/)])
  })
})

test('a script that does not load fails alone', async () => {
  const bus = await startBus()
  await open(bus, ['a'])
  const sandbox = { kind: 'quickjs', group: 'g' } as const
  const broken = bus.open('b', { source: 'throw new Error("no")', name: 'b.js' }, { sandbox })
  await expect(broken).rejects.toThrow('no')
  await expect(bus.open('b', { source: 'import "node:fs"', name: 'b.js' }, { sandbox })).rejects.toThrow(/b\.js/)
  expect(await count(bus, 'a')).toBe(1)
  expect(workers).toHaveLength(1)
})

test('a closed script stops its timers, and settles its calls', async () => {
  const bus = await startBus()
  await open(bus, ['a', 'b'])
  const ticks: string[] = []
  await bus.listen<string>('tick', ({ payload }) => void ticks.push(payload))
  for (const label of ['a', 'b']) await bus.call(label, 'tick')
  await expect.poll(() => new Set(ticks).size).toBe(2)
  const pending = bus.call('a', 'never').catch((error: Error) => error)
  await bus.closeFrontend('a')
  expect(await pending).toMatchObject({ reason: 'Disconnected' })
  ticks.length = 0
  await expect.poll(() => ticks.length).toBeGreaterThan(5)
  expect(new Set(ticks)).toEqual(new Set(['b']))
})

test('the end of the thread restarts all of its scripts', async () => {
  const bus = await startBus()
  await open(bus, ['a', 'b'])
  const { faults, restarts } = watch(bus)
  await workers[0]!.terminate()
  await expect.poll(() => restarts.toSorted()).toEqual(['a', 'b'])
  for (const label of ['a', 'b']) await expect.poll(() => count(bus, label)).toBe(1)
  const describe = (label: string) =>
    `${label}: A thread exited with code 1. The thread that frontend "${label}" shared was terminated`
  expect(faults.toSorted()).toEqual(['a', 'b'].map(describe))
})

test('code runs once in the thread of a group', async () => {
  const bus = await startBus()
  await open(bus, ['a'])
  const sandbox = { kind: 'quickjs', group: 'g' } as const
  const run = (code: string) => bus.run(code, { sandbox, allow: ['greet'], timeout: 60_000 })
  expect(await run(`return await invoke('greet', { name: 'x' })`)).toBe('Hello, x!')
  await expect(run(`throw new Error('no')`)).rejects.toThrow('no')
  expect(await count(bus, 'a')).toBe(1)
  expect(workers).toHaveLength(1)
})
