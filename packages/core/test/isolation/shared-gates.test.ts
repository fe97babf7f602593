// Gates that share a thread (`isolation: { gates }`): what each frontend keeps for itself.
import { expect, test } from 'vitest'
import type { Client } from '../../src/index.js'
import { add, connect, startShared } from '../support/shared-gates.js'
import { watch, workers } from '../support/shared-threads.js'

test.each([1, 2])('the gates of all frontends share %i threads, which end with the last frontend', async gates => {
  const bus = await startShared('judge', gates)
  const labels = ['a', 'b', 'c', 'd']
  const clients = await connect(bus, ...labels)
  expect(workers).toHaveLength(gates)
  for (const client of clients) await client.close()
  await expect.poll(() => workers.map(({ threadId }) => threadId)).toEqual(workers.map(() => -1))
})

test('a thread that ends leaves the others of its group, which the next gates share', async () => {
  const bus = await startShared('judge', 2)
  const [first] = await connect(bus, 'a', 'b')
  const destroyed: unknown[] = []
  await bus.listen('tauri://destroyed', ({ payload }) => void destroyed.push(payload))
  await workers[0]!.terminate()
  await expect.poll(() => add(first!)).toBe(3)
  await connect(bus, 'c')
  expect(workers.filter(({ threadId }) => threadId !== -1).length).toBe(2)
  // A link that is replaced is no end of its frontend.
  expect(destroyed).toEqual([])
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

test('the end of the thread restarts all of its gates, and settles their calls', async () => {
  const bus = await startShared('judge')
  const clients = await connect(bus, 'a', 'b', 'c')
  const { faults, restarts } = watch(bus)
  const calls = clients.map(client => client.invoke('endless').catch((error: Error) => error))
  await workers[0]!.terminate()
  for (const error of await Promise.all(calls)) expect(error).toMatchObject({ reason: 'Disconnected' })
  await expect.poll(() => restarts.toSorted()).toEqual(['a', 'b', 'c'])
  await expect.poll(() => Promise.all(clients.map(add))).toEqual([3, 3, 3])
  const describe = (label: string) =>
    `${label}: A thread exited with code 1. The thread that gate "${label}" shared was terminated`
  expect(faults.toSorted()).toEqual(['a', 'b', 'c'].map(describe))
})

test('the end of the thread is the error of the caller of a run, and no fault of the bus', async () => {
  const bus = await startShared('judge')
  const { faults } = watch(bus)
  const hasBegun = new Promise<void>(resolve => void bus.listen('begun', () => resolve()))
  const running = bus
    .run('await listen("x", () => {}); await emit("begun"); await new Promise(() => {})')
    .catch((error: unknown) => error)
  await hasBegun
  await workers[0]!.terminate()
  expect(await running).toMatchObject({ reason: 'Crashed', message: 'gate "run-1" exited with code 1' })
  expect(faults).toEqual([])
})
