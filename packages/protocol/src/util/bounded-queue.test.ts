import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { BoundedQueue, type QueueSlot } from './bounded-queue.js'

interface Item {
  readonly id: number
}

const LIMITS = { count: 4, bytes: 100 }

describe('BoundedQueue', () => {
  it('behaves like an array when items are pushed, shifted and removed', () => {
    const step = fc.record({ action: fc.constantFrom('push', 'push', 'shift', 'remove', 'clear'), pick: fc.nat() })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 500 }), steps => {
        const queue = new BoundedQueue<Item>(LIMITS)
        let model: QueueSlot<Item>[] = []
        let id = 0
        for (const { action, pick } of steps) {
          if (action === 'push') model.push(queue.push({ id: ++id }, pick % 10))
          else if (action === 'shift') {
            const oldest = model[0]?.item
            expect(queue.peek()).toBe(oldest)
            expect(queue.shift()).toBe(oldest)
            model.shift()
          } else if (action === 'clear' && pick % 10 === 0) {
            const items = model.map(({ item }) => item)
            expect(queue.clear()).toEqual(items)
            model = []
          } else if (action === 'remove' && model.length > 0) {
            const slot = model[pick % model.length]!
            expect([queue.remove(slot), queue.remove(slot)]).toEqual([true, false])
            model = model.filter(other => other !== slot)
          }
          expect(queue.size).toBe(model.length)
          expect(queue.bytes).toBe(model.reduce((sum, { bytes }) => sum + bytes, 0))
        }
      }),
    )
  })

  it('is full when a limit is reached, and still takes items', () => {
    const queue = new BoundedQueue<Item>(LIMITS)
    const slot = queue.push({ id: 1 }, 100)
    expect(queue.isFull).toBe(true)
    queue.remove(slot)
    expect(queue.isFull).toBe(false)
    for (let id = 0; id < 4; id++) queue.push({ id }, 0)
    expect(queue.isFull).toBe(true)
    queue.push({ id: 4 }, 0)
    expect(queue.size).toBe(5)
  })

  it('keeps the order when thousands of items were removed', () => {
    const queue = new BoundedQueue<Item>(LIMITS)
    const slots = Array.from({ length: 10_000 }, (_, id) => queue.push({ id }, 1))
    for (const [id, slot] of slots.entries()) if (id % 100 !== 0) queue.remove(slot)
    expect(queue.clear().map(({ id }) => id)).toEqual(Array.from({ length: 100 }, (_, index) => index * 100))
  })

  it('frees the memory of items that have left while others remain', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const queue = new BoundedQueue<Item>(LIMITS)
    const push = (id: number): { slot: QueueSlot<Item>; item: WeakRef<Item> } => {
      const item = { id }
      return { slot: queue.push(item, 1), item: new WeakRef(item) }
    }
    const [first, second, third] = [push(1), push(2), push(3)]
    queue.shift()
    queue.remove(second.slot)
    await new Promise(resolve => setImmediate(resolve))
    collect()
    expect([first.item.deref(), second.item.deref(), third.item.deref()?.id]).toEqual([undefined, undefined, 3])
  })

  it('gives up the places of items that have left, many at a time', () => {
    const queue = new BoundedQueue<Item>()
    const filter = vi.spyOn(Array.prototype, 'filter')
    for (let id = 0; id < 10_000; id++) {
      queue.push({ id }, 1)
      queue.shift()
    }
    const places = filter.mock.contexts.map(slots => (slots as unknown[]).length)
    filter.mockRestore()
    expect(places.length).toBeGreaterThan(5)
    expect(Math.min(...places)).toBeGreaterThan(1000)
    expect(Math.max(...places)).toBeLessThan(2000)
  })
})
