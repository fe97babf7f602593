// What a gate writes for the host's watchdog, and when it has left the hook.
import { describe, expect, test } from 'vitest'
import { createHookWatch } from './hook-watch.js'

const setUp = () => {
  const memory = new SharedArrayBuffer(4)
  const word = new Int32Array(memory)
  return { watch: createHookWatch(memory), read: () => Atomics.load(word, 0) }
}
const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

describe('the watch', () => {
  test('has another number for each message, and zero once the turn is over', async () => {
    const { watch, read } = setUp()
    expect(read()).toBe(0)
    const seen = new Set<number>()
    for (let i = 0; i < 3; i++) {
      watch.enter()
      seen.add(read())
    }
    expect(seen.size).toBe(3)
    expect(seen).not.toContain(0)
    await turn()
    expect(read()).toBe(0)
    watch.enter()
    expect(read()).not.toBe(0)
    await turn()
    expect(read()).toBe(0)
  })

  test('does not leave before the last promise of the turn has settled', async () => {
    const { watch, read } = setUp()
    const during: number[] = []
    watch.enter()
    const chain = (async () => {
      for (let i = 0; i < 1000; i++) await Promise.resolve()
      during.push(read())
    })()
    await chain
    expect(during[0]).not.toBe(0)
    await turn()
    expect(read()).toBe(0)
  })

  test('stays inside for what enters while it leaves', async () => {
    const { watch, read } = setUp()
    const during: number[] = []
    watch.enter()
    // Behind its own microtask and before its tick.
    await Promise.resolve()
    process.nextTick(() => {
      watch.enter()
      void (async () => {
        for (let i = 0; i < 10; i++) await Promise.resolve()
        during.push(read())
      })()
    })
    await turn()
    expect(during[0]).not.toBe(0)
    expect(read()).toBe(0)
  })

  test('rests when it is told to', async () => {
    const { watch, read } = setUp()
    watch.enter()
    watch.rest()
    expect(read()).toBe(0)
    watch.enter()
    expect(read()).not.toBe(0)
    await turn()
    expect(read()).toBe(0)
  })
})

test('says each time that it has left', async () => {
  let left = 0
  const watch = createHookWatch(new SharedArrayBuffer(4), () => (left += 1))
  for (let i = 1; i <= 2; i++) {
    watch.enter()
    watch.enter()
    expect(left).toBe(i - 1)
    await turn()
    expect(left).toBe(i)
  }
})
