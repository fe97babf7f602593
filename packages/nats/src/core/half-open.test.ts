// However many sessions are asked for and never begun, there is a bound to them, and they go by themselves.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { HalfOpen } from './sessions.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** As sessions do it. */
function make() {
  const halfOpen = new HalfOpen()
  const given: string[] = []
  const add = (session: string, credential: string): void =>
    halfOpen.add(session, credential, () => {
      given.push(session)
      halfOpen.delete(session)
    })
  return { halfOpen, given, add }
}

describe('sessions that are half open', () => {
  test('are given up after ten seconds without a word', () => {
    const { halfOpen, given, add } = make()
    add('a', 'ann')
    add('b', 'bob')
    halfOpen.delete('b')
    vi.advanceTimersByTime(9_999)
    expect(given).toEqual([])
    vi.advanceTimersByTime(1)
    expect(given).toEqual(['a'])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('of one credential are four: the oldest makes room', () => {
    const { given, add } = make()
    for (const session of ['1', '2', '3', '4', '5', '6']) add(session, 'ann')
    add('7', 'bob')
    expect(given).toEqual(['1', '2'])
  })

  test('are 1024 in all, until some have gone', () => {
    const { halfOpen, add } = make()
    for (let i = 0; i < 1023; i++) add(`${i}`, `${i}`)
    expect(halfOpen.isFull).toBe(false)
    add('last', 'last')
    expect(halfOpen.isFull).toBe(true)
    halfOpen.delete('5')
    expect(halfOpen.isFull).toBe(false)
    halfOpen.giveUp()
    expect(vi.getTimerCount()).toBe(0)
  })
})
