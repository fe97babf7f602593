import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type Peer, patience } from './patience.js'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'setImmediate'] }))
afterEach(() => void vi.useRealTimers())

const onAnswer = vi.fn<() => void>()
const asked: (() => void)[] = []
const peer: Peer = { ask: answer => void asked.push(answer) }

beforeEach(() => {
  onAnswer.mockReset()
  asked.splice(0)
})

test('a peer is asked after its time, and judged at its answer', () => {
  patience(peer, 1000, onAnswer)
  vi.advanceTimersByTime(999)
  expect(asked).toHaveLength(0)
  vi.advanceTimersByTime(10)
  expect(asked).toHaveLength(1)
  vi.advanceTimersByTime(60_000)
  expect(onAnswer).not.toHaveBeenCalled()
  asked[0]!()
  expect(onAnswer).toHaveBeenCalledOnce()
})

test('a peer that has ended is not judged, whenever that becomes known', () => {
  const ends = [500, 2000].map(ms => {
    const end = patience(peer, 1000, onAnswer)
    vi.advanceTimersByTime(ms)
    end()
    return asked.length
  })
  expect(ends).toEqual([0, 1])
  vi.advanceTimersByTime(60_000)
  asked[0]!()
  expect(onAnswer).not.toHaveBeenCalled()
})

test('a thread that was busy or suspended for all of the time has had one turn', () => {
  patience(peer, 1000, onAnswer)
  vi.setSystemTime(Date.now() + 60_000)
  vi.runOnlyPendingTimers()
  vi.runOnlyPendingTimers()
  expect(asked).toHaveLength(0)
})
