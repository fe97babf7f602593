// Gates that share a thread (`isolation: { gates }`): what each frontend keeps for itself, and what a stuck hook does to its neighbors.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Worker } from 'node:worker_threads'
import { afterEach, expect, test } from 'vitest'
import type { Bus, BusOptions, Client } from '../../src/index.js'
import { everyCommand, fixture, start } from '../support/start.js'

const POLL = { timeout: 20_000 }

const workers: Worker[] = []
const keep = (message: unknown): void => void workers.push((message as { worker: Worker }).worker)
afterEach(() => {
  unsubscribe('worker_threads', keep)
  workers.length = 0
})

/** Starts a bus, whose gates are added to `workers`. */
async function startShared(
  hook: string,
  gates = 1,
  options: Partial<BusOptions> = {},
  hookTimeout = 60_000,
): Promise<Bus> {
  const dir = fixture(`isolation/hooks/${hook}/`)
  const bus = await start({ isolation: { dir, gates, hookTimeout }, capabilities: [everyCommand], ...options })
  subscribe('worker_threads', keep)
  return bus
}

async function connect(bus: Bus, ...labels: string[]): Promise<Client[]> {
  const clients: Client[] = []
  for (const label of labels) {
    const client = await bus.connect(label)
    await client.invoke('add', { a: 1, b: 2 })
    clients.push(client)
  }
  return clients
}

const watch = (bus: Bus): { faults: string[]; restarts: string[]; failed: string[] } => {
  const events: Record<'faults' | 'restarts' | 'failed', string[]> = { faults: [], restarts: [], failed: [] }
  bus.on('fault', ({ label, error }) => events.faults.push(`${label}: ${error.message}`))
  bus.on('restart', ({ label }) => events.restarts.push(label))
  bus.on('failed', ({ label }) => events.failed.push(label))
  return events
}

const add = (client: Client): Promise<number | undefined> =>
  client.invoke<number>('add', { a: 1, b: 2 }).catch(() => undefined)

test.each([1, 2])('the gates of all frontends share %i threads, which end with the last frontend', async gates => {
  const bus = await startShared('judge', gates)
  const labels = ['a', 'b', 'c', 'd']
  const clients = await connect(bus, ...labels)
  expect(workers).toHaveLength(gates)
  for (const client of clients) await client.close()
  await expect.poll(() => workers.map(({ threadId }) => threadId), POLL).toEqual(workers.map(() => -1))
})

test('the hook of each frontend has its own state', async () => {
  const bus = await startShared('counts')
  const [first, second] = await connect(bus, 'a', 'b')
  expect(await add(first!)).toBe(2)
  expect(await add(first!)).toBe(3)
  expect(await add(second!)).toBe(2)
})

test('rejections and confirmations are reported for the frontend that caused them', async () => {
  const questions: string[] = []
  const bus = await startShared('judge', 1, { onConfirm: (_text, { label }) => questions.push(label) > 1 })
  const [first, second] = await connect(bus, 'a', 'b')
  const rejected: string[] = []
  bus.on('rejected', ({ label }) => rejected.push(label))
  await expect(second!.invoke('echo', { hook: 'null' })).rejects.toMatchObject({ reason: 'Rejected' })
  const ask = (client: Client) => client.invoke('echo', { hook: 'confirm', question: 'Really?' })
  expect(await ask(first!)).toEqual({ answer: false })
  expect(await ask(second!)).toEqual({ answer: true })
  expect(questions).toEqual(['a', 'b'])
  expect(rejected).toEqual(['b'])
})

test('a person who takes long to confirm restarts no gate', async () => {
  const supervision = { heartbeat: 400 }
  const onConfirm = () => new Promise<boolean>(resolve => setTimeout(resolve, 1500, true))
  const bus = await startShared('judge', 1, { supervision, onConfirm }, 200)
  const [first, second] = await connect(bus, 'a', 'b')
  const { faults } = watch(bus)
  const answer = first!.invoke('echo', { hook: 'confirm', question: 'Really?' })
  expect(await second!.invoke('add', { a: 1, b: 2 })).toBe(3)
  expect(await answer).toEqual({ answer: true })
  expect(faults).toEqual([])
})

test('a hook that does not return restarts the gates of the thread, and each fault names the cause', async () => {
  const bus = await startShared('stuck', 1, {}, 300)
  const [first, second] = await connect(bus, 'a', 'b')
  const { faults, restarts } = watch(bus)
  const stuck = first!.invoke('add', { hook: 'spin' })
  await expect(stuck).rejects.toMatchObject({ reason: 'Disconnected' })
  await expect.poll(() => restarts.toSorted(), POLL).toEqual(['a', 'b'])
  await expect.poll(() => Promise.all([add(first!), add(second!)]), POLL).toEqual([3, 3])
  const cause = 'The isolation hook of "a" did not return within 300 ms'
  expect(faults.toSorted()).toEqual([`a: ${cause}`, `b: ${cause}. The thread that gate "b" shared was terminated`])
})

test('a frontend whose hook hangs again and again fails alone', { timeout: 30_000 }, async () => {
  const supervision = { intensity: 2, period: 60_000 }
  const bus = await startShared('stuck', 1, { supervision }, 100)
  const [first, second] = await connect(bus, 'a', 'b')
  const { failed } = watch(bus)
  for (let hang = 0; hang <= supervision.intensity; hang++) {
    await expect.poll(() => add(first!), POLL).toBe(3)
    await expect(first!.invoke('add', { hook: 'spin' })).rejects.toThrow()
  }
  await expect.poll(() => failed, POLL).toEqual(['a'])
  await expect.poll(() => add(second!), POLL).toBe(3)
})

test('a closed frontend leaves the gates of the others as they are', async () => {
  const bus = await startShared('counts')
  const [first, second] = await connect(bus, 'a', 'b')
  const { faults } = watch(bus)
  await first!.close()
  expect(await add(second!)).toBe(2)
  const [again] = await connect(bus, 'a')
  expect(await add(again!)).toBe(2)
  expect(workers).toHaveLength(1)
  expect(faults).toEqual([])
})

test('a frontend that floods its gate does not starve the others', async () => {
  const bus = await startShared('judge')
  const [first, second] = await connect(bus, 'a', 'b')
  let isOver = false
  const flood = async (): Promise<void> => {
    while (!isOver) await first!.invoke('echo', { text: 'x'.repeat(2 ** 12) }).catch(() => {})
  }
  const floods = Array.from({ length: 256 }, flood)
  for (let i = 0; i < 20; i++) expect(await second!.invoke('add', { a: i, b: 1 })).toBe(i + 1)
  isOver = true
  await Promise.all(floods)
})

test('the end of the thread restarts all of its gates, and settles their calls', async () => {
  const bus = await startShared('judge')
  const clients = await connect(bus, 'a', 'b', 'c')
  const { faults, restarts } = watch(bus)
  const calls = clients.map(client => client.invoke('endless').catch((error: Error) => error))
  await workers[0]!.terminate()
  for (const error of await Promise.all(calls)) expect(error).toMatchObject({ reason: 'Disconnected' })
  await expect.poll(() => restarts.toSorted(), POLL).toEqual(['a', 'b', 'c'])
  await expect.poll(() => Promise.all(clients.map(add)), POLL).toEqual([3, 3, 3])
  expect(faults.toSorted()).toEqual(['a', 'b', 'c'].map(label => `${label}: gate "${label}" exited with code 1`))
})

test('a bus with stuck gates closes', async () => {
  const bus = await startShared('stuck')
  const [first] = await connect(bus, 'a', 'b')
  first!.invoke('add', { hook: 'spin' }).catch(() => {})
  await bus.close({ timeout: 0 })
  expect(workers.map(({ threadId }) => threadId)).toEqual([-1])
})
