import { expect, test } from 'vitest'
import { LabelSlots } from './slots.js'

const { signal } = new AbortController()

test('a label runs as many tasks as it has slots, and starts the next in order', async () => {
  const slots = new LabelSlots(2)
  const started: number[] = []
  const ends: (() => void)[] = []
  const tasks = [0, 1, 2, 3].map(id =>
    slots.run('a', signal, () => {
      started.push(id)
      return new Promise<void>(resolve => ends.push(resolve))
    }),
  )
  await expect.poll(() => started).toEqual([0, 1])
  ends[1]!()
  await expect.poll(() => started).toEqual([0, 1, 2])
  ends[0]!()
  await expect.poll(() => started).toEqual([0, 1, 2, 3])
  for (const end of ends) end()
  await Promise.all(tasks)
})

test('a label does not wait for another', async () => {
  const slots = new LabelSlots(1)
  const endless = slots.run('a', signal, () => new Promise<void>(() => {}))
  expect(await Promise.race([endless, slots.run('b', signal, () => 'b')])).toBe('b')
})

test('a task that fails frees its slot', async () => {
  const slots = new LabelSlots(1)
  const fail = (): never => {
    throw new Error('no')
  }
  await expect(slots.run('a', signal, fail)).rejects.toThrow('no')
  expect(await slots.run('a', signal, () => 1)).toBe(1)
})

test('a task that waits rejects when its signal aborts', async () => {
  const slots = new LabelSlots(1)
  void slots.run('a', signal, () => new Promise<void>(() => {}))
  const controller = new AbortController()
  const waiting = slots.run('a', controller.signal, () => 1)
  controller.abort(new Error('gone'))
  await expect(waiting).rejects.toThrow('gone')
})
