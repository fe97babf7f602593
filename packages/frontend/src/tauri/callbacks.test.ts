import { expect, test, vi } from 'vitest'
import { Callbacks } from './callbacks.js'

test('ids are of 32 bits, and above those of the client’s own channels', () => {
  const callbacks = new Callbacks()
  const ids = Array.from({ length: 1000 }, () => callbacks.add())
  expect(new Set(ids).size).toBe(1000)
  expect(ids.every(id => Number.isInteger(id) && id >= 2 ** 31 && id < 2 ** 32)).toBe(true)
})

test('an id that is taken is not given again', () => {
  const callbacks = new Callbacks()
  const random = vi.spyOn(crypto, 'getRandomValues')
  const answers = [5, 5, 6]
  random.mockImplementation(array => {
    ;(array as unknown as Uint32Array)[0] = answers.shift()!
    return array
  })
  try {
    expect([callbacks.add(), callbacks.add()]).toEqual([2 ** 31 + 5, 2 ** 31 + 6])
  } finally {
    random.mockRestore()
  }
})

test('one that is called once is gone before it is called', () => {
  const callbacks = new Callbacks()
  const there: boolean[] = []
  const id = callbacks.add(() => there.push(callbacks.byId.has(id)), true)
  callbacks.run(id, 1)
  expect(there).toEqual([false])
})

test('without a function', () => {
  const callbacks = new Callbacks()
  expect(() => callbacks.run(callbacks.add(undefined), 1)).not.toThrow()
})
