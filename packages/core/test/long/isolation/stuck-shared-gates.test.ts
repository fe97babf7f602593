// Gates whose hook hangs, waits or is flooded, most of them in a thread of several.
import { createDeferred } from '@sallyport/protocol/internal/util'
import { expect, test } from 'vitest'
import { add, connect, startShared } from '../../support/shared-gates.js'
import { watch, workers } from '../../support/shared-threads.js'
import { fixture, isolation, start } from '../../support/start.js'

test('a person who takes long to confirm restarts no gate', async () => {
  const [prompted, confirmed] = [createDeferred(), createDeferred<boolean>()]
  const onConfirm = (): Promise<boolean> => {
    prompted.resolve()
    return confirmed.promise
  }
  // oxlint-disable-next-line sallyport/no-real-time -- a gate that really hangs, beside one that answers a person
  const bus = await startShared('judge', 1, { supervision: { heartbeat: 1500 }, onConfirm }, 750)
  // Another thread, which is blocked meanwhile, and restarts later than a gate would.
  const source = { source: 'import { expose } from "@sallyport/frontend"; expose({ spin: () => { for (;;); } })' }
  // oxlint-disable-next-line sallyport/no-real-time -- a thread that really hangs
  await bus.open('other', { ...source, name: 'main.js' }, { supervision: { heartbeat: 3000 } })
  const [first, second] = await connect(bus, 'a', 'b')
  const { faults, restarts } = watch(bus)
  const answers = [
    first!.invoke('echo', { hook: 'confirm', question: 'Really?' }),
    prompted.promise.then(() => add(second!)),
  ]
  await prompted.promise
  bus.call('other', 'spin').catch(() => {})
  await expect.poll(() => restarts).toEqual(['other'])
  confirmed.resolve(true)
  expect(await Promise.all(answers)).toEqual([{ answer: true }, 3])
  expect(faults).toEqual([expect.stringMatching(/^other: /)])
})

test('a hook that does not return restarts the gates of the thread, and each fault names the cause', async () => {
  const bus = await startShared('stuck', 1, {}, 1000)
  const [first, second] = await connect(bus, 'a', 'b')
  const { faults, restarts } = watch(bus)
  const stuck = first!.invoke('add', { hook: 'spin' })
  await expect(stuck).rejects.toMatchObject({ reason: 'Disconnected' })
  await expect.poll(() => restarts.toSorted()).toEqual(['a', 'b'])
  await expect.poll(() => Promise.all([add(first!), add(second!)])).toEqual([3, 3])
  const cause = 'The isolation hook of "a" did not return within 1000 ms'
  expect(faults.toSorted()).toEqual([`a: ${cause}`, `b: ${cause}. The thread that gate "b" shared was terminated`])
})

test('a frontend whose hook hangs again and again fails alone', async () => {
  const supervision = { intensity: 2, period: 60_000 }
  const bus = await startShared('stuck', 1, { supervision }, 500)
  const [first, second] = await connect(bus, 'a', 'b')
  const { failed } = watch(bus)
  for (let hang = 0; hang <= supervision.intensity; hang++) {
    await expect.poll(() => add(first!)).toBe(3)
    await expect(first!.invoke('add', { hook: 'spin' })).rejects.toThrow()
  }
  await expect.poll(() => failed).toEqual(['a'])
  await expect.poll(() => add(second!)).toBe(3)
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

test('a bus with stuck gates closes', async () => {
  const bus = await startShared('stuck')
  const [first] = await connect(bus, 'a', 'b')
  first!.invoke('add', { hook: 'spin' }).catch(() => {})
  await bus.close({ timeout: 0 })
  expect(workers.map(({ threadId }) => threadId)).toEqual([-1])
})

// Core learns that all links through it have ended, not only the latest.
test('the calls of an earlier run of a frontend are aborted when its stuck gate is terminated', async () => {
  const main = {
    module: fixture('isolation/stuck-gate.mjs'),
    sandbox: 'none',
    supervision: { restart: 'permanent' },
  } as const
  // oxlint-disable-next-line sallyport/no-real-time -- a hook that really hangs, after some that return
  const bus = await start({ ...isolation('stuck', { hookTimeout: 1000 }), frontends: { main } })
  const client = await bus.connect('tests')
  await expect.poll(() => client.invoke('seen')).toEqual(['began', 'Disconnected'])
})
