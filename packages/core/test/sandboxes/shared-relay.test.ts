// Processes whose relays share a thread: what happens to one does not reach the others, unless the thread itself ends.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { availableParallelism } from 'node:os'
import type { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import type { Bus } from '../../src/index.js'
import { start } from '../support/start.js'

/** In a wall, each process has the same id. */
const PROCESS = { kind: 'process', wall: 'none' } as const
const POLL = { timeout: 20_000 }
const MAX_RELAYS = Math.max(1, Math.min(4, Math.floor(availableParallelism() / 2)))

const source = `
  import { expose, emit, invoke } from '@sallyport/frontend'
  expose({
    pid: () => process.pid,
    never: () => new Promise(() => {}),
    crash: () => { setImmediate(() => { throw new Error('broken on purpose') }) },
    spin: () => { for (;;); },
    print: () => { const text = 'x'.repeat(2 ** 16); const next = () => process.stdout.write(text, next); next() },
    call: () => { const next = () => invoke('greet', { name: 'x'.repeat(2 ** 14) }).then(next, next); for (let i = 0; i < 64; i++) next() },
    emit: () => { setInterval(() => { for (let i = 0; i < 100; i++) emit('noise', 'x'.repeat(2 ** 12)).catch(() => {}) }, 0) },
  })
`

/** Returns the threads that start until `end`, and the ids of the processes. */
async function openProcesses(bus: Bus, labels: readonly string[]): Promise<{ relays: Worker[]; pids: number[] }> {
  const relays: Worker[] = []
  const keep = (message: unknown): void => void relays.push((message as { worker: Worker }).worker)
  subscribe('worker_threads', keep)
  try {
    for (const label of labels) await bus.open(label, { source, name: 'it.js' }, { sandbox: PROCESS, allow: '*' })
  } finally {
    unsubscribe('worker_threads', keep)
  }
  return { relays, pids: await getPids(bus, labels) }
}

const getPids = (bus: Bus, labels: readonly string[]): Promise<number[]> =>
  Promise.all(labels.map(label => bus.call<number>(label, 'pid')))

const watch = (bus: Bus): { faults: string[]; restarts: string[] } => {
  const [faults, restarts]: string[][] = [[], []]
  bus.on('fault', ({ label, error }) => faults!.push(`${label}: ${error.message}`))
  bus.on('restart', ({ label }) => restarts!.push(label))
  return { faults: faults!, restarts: restarts! }
}

test('all processes of a bus share a few threads, which end with the last process', async () => {
  const bus = await start()
  const labels = ['a', 'b', 'c', 'd', 'e']
  const { relays, pids } = await openProcesses(bus, labels)
  expect(relays).toHaveLength(MAX_RELAYS)
  expect(new Set(pids)).toHaveLength(5)
  for (const label of labels) await bus.closeFrontend(label)
  expect(relays.map(({ threadId }) => threadId)).toEqual(relays.map(() => -1))
  expect((await openProcesses(bus, ['f'])).relays).toHaveLength(1)
})

test('a process that crashes restarts alone', async () => {
  const bus = await start()
  const { pids } = await openProcesses(bus, ['a', 'b', 'c'])
  const { faults, restarts } = watch(bus)
  const pending = bus.call('b', 'never').catch((error: Error) => error)
  await bus.call('a', 'crash')
  await expect.poll(() => restarts, POLL).toEqual(['a'])
  await expect.poll(() => bus.call('a', 'pid').catch(() => pids[0]), POLL).not.toBe(pids[0])
  expect(await getPids(bus, ['b', 'c'])).toEqual(pids.slice(1))
  expect(faults).toEqual(['a: broken on purpose'])
  await bus.closeFrontend('b')
  expect(await pending).toMatchObject({ reason: 'Disconnected' })
})

test('a process that blocks restarts alone', async () => {
  const bus = await start({ supervision: { heartbeat: 2000 } })
  const { pids } = await openProcesses(bus, ['a', 'b'])
  const { faults, restarts } = watch(bus)
  bus.call('a', 'spin').catch(() => {})
  await expect.poll(() => restarts, POLL).toEqual(['a'])
  expect(await getPids(bus, ['b'])).toEqual(pids.slice(1))
  expect(faults).toEqual([expect.stringMatching(/^a: .* blocked its event loop for 2000 ms$/)])
})

test('a process is reloaded and closed alone', async () => {
  const bus = await start()
  const { pids } = await openProcesses(bus, ['a', 'b', 'c'])
  await bus.reload('a')
  await bus.closeFrontend('c')
  const [reloaded, other] = await getPids(bus, ['a', 'b'])
  expect(reloaded).not.toBe(pids[0])
  expect(other).toBe(pids[1])
})

test('a process that cannot be started fails alone', async () => {
  const bus = await start()
  const { pids } = await openProcesses(bus, ['a'])
  const broken = bus.open('b', { source: 'throw new Error("no")', name: 'it.js' }, { sandbox: PROCESS })
  await expect(broken).rejects.toThrow('no')
  expect(await getPids(bus, ['a'])).toEqual(pids)
})

test.each(['print', 'call', 'emit'])('a process that floods with %s does not starve the others', async flood => {
  const bus = await start()
  const { pids } = await openProcesses(bus, ['a', 'b'])
  await bus.call('a', flood)
  for (let i = 0; i < 50; i++) expect(await bus.call('b', 'pid')).toBe(pids[1])
})

test('the end of the thread restarts all of its processes, and settles their calls', async () => {
  const bus = await start()
  const labels = ['a', 'b', 'c']
  const { relays, pids } = await openProcesses(bus, labels)
  const { faults, restarts } = watch(bus)
  const calls = labels.map(label => bus.call(label, 'never').catch((error: Error) => error))
  await Promise.all(relays.map(relay => relay.terminate()))
  for (const error of await Promise.all(calls)) expect(error).toMatchObject({ reason: 'Disconnected' })
  await expect.poll(() => restarts.toSorted(), POLL).toEqual(labels)
  const stillOld = (label: string) => bus.call<number>(label, 'pid').catch(() => pids[0])
  await expect
    .poll(async () => (await Promise.all(labels.map(stillOld))).filter(pid => pids.includes(pid!)), POLL)
    .toEqual([])
  expect(faults.toSorted()).toEqual(labels.map(label => expect.stringMatching(`^${label}: .*exited with code 1`)))
})
