// Processes whose relays share a thread: what happens to one does not reach the others, unless the thread itself ends.
import { availableParallelism } from 'node:os'
import { expect, test } from 'vitest'
import { getPids, openProcesses, PROCESS } from '../../support/shared-relay.js'
import { watch } from '../../support/shared-threads.js'
import { start } from '../../support/start.js'

const MAX_RELAYS = Math.max(1, Math.min(4, Math.floor(availableParallelism() / 2)))

test('all processes of a bus share a few threads, which end with the bus', async () => {
  const bus = await start()
  const labels = ['a', 'b', 'c', 'd', 'e']
  const { relays, pids } = await openProcesses(bus, labels)
  expect(relays).toHaveLength(MAX_RELAYS)
  expect(new Set(pids)).toHaveLength(5)
  for (const label of labels) await bus.closeFrontend(label)
  expect((await openProcesses(bus, ['f'])).relays).toEqual([])
  await bus.close()
  expect(relays.map(({ threadId }) => threadId)).toEqual(relays.map(() => -1))
})

test('a process that crashes restarts alone', async () => {
  const bus = await start()
  const { pids } = await openProcesses(bus, ['a', 'b', 'c'])
  const { faults, restarts } = watch(bus)
  const pending = bus.call('b', 'never').catch((error: Error) => error)
  await bus.call('a', 'crash')
  await expect.poll(() => restarts).toEqual(['a'])
  await expect.poll(() => bus.call('a', 'pid').catch(() => pids[0])).not.toBe(pids[0])
  expect(await getPids(bus, ['b', 'c'])).toEqual(pids.slice(1))
  expect(faults).toEqual(['a: broken on purpose'])
  await bus.closeFrontend('b')
  expect(await pending).toMatchObject({ reason: 'Disconnected' })
})

test('processes that start beside one that is refused are not ended with it', async () => {
  const bus = await start()
  const labels = ['refused', 'a', 'b', 'c']
  const opened = await Promise.allSettled(
    labels.map(label =>
      bus.open(label, { source: '' }, { sandbox: PROCESS, allow: label === 'refused' ? ['none'] : [] }),
    ),
  )
  expect(opened.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled', 'fulfilled'])
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

test('the end of the thread restarts all of its processes, and settles their calls', async () => {
  const bus = await start()
  const labels = ['a', 'b', 'c']
  const { relays, pids } = await openProcesses(bus, labels)
  const { faults, restarts } = watch(bus)
  const calls = labels.map(label => bus.call(label, 'never').catch((error: Error) => error))
  await Promise.all(relays.map(relay => relay.terminate()))
  for (const error of await Promise.all(calls)) expect(error).toMatchObject({ reason: 'Disconnected' })
  await expect.poll(() => restarts.toSorted()).toEqual(labels)
  const stillOld = (label: string) => bus.call<number>(label, 'pid').catch(() => pids[0])
  await expect
    .poll(async () => (await Promise.all(labels.map(stillOld))).filter(pid => pids.includes(pid!)))
    .toEqual([])
  expect(faults.toSorted()).toEqual(labels.map(label => expect.stringMatching(`^${label}: .*exited with code 1`)))
})
