import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { KeepAlive } from './nats-link.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function start(heartbeat: number): { keepAlive: KeepAlive; pings: () => number; lost: number[] } {
  let pings = 0
  const lost: number[] = []
  const keepAlive = new KeepAlive(
    heartbeat,
    () => pings++,
    silenceMs => {
      lost.push(silenceMs)
      keepAlive.stop()
    },
  )
  onTestFinished(() => keepAlive.stop())
  return { keepAlive, pings: () => pings, lost }
}

test('pings a silent peer three times, and then reports it as lost', () => {
  const { pings, lost } = start(1000)
  vi.advanceTimersByTime(3999)
  expect([pings(), lost]).toEqual([3, []])
  // The loop turns once after each heartbeat.
  vi.advanceTimersByTime(5)
  expect([pings(), lost]).toEqual([3, [4000]])
})

test('a process that was suspended has had one turn, and reads what has arrived first', () => {
  const { keepAlive, pings, lost } = start(1000)
  vi.advanceTimersByTime(3999)
  vi.advanceTimersToNextTimer()
  keepAlive.messageReceived()
  vi.advanceTimersByTime(3900)
  expect([pings(), lost]).toEqual([6, []])
})

test('reports a suspected peer as lost after half a heartbeat', () => {
  const { keepAlive, pings, lost } = start(2000)
  keepAlive.suspect()
  keepAlive.suspect()
  expect(pings()).toBe(1)
  vi.advanceTimersByTime(1001)
  expect(lost).toEqual([1000])
})

test('doubles the delay after each false alarm, and finally ignores suspicions', () => {
  const { keepAlive, pings, lost } = start(2000)
  for (const delay of [1000, 2000, 4000]) {
    keepAlive.suspect()
    vi.advanceTimersByTime(delay - 1)
    keepAlive.messageReceived()
  }
  const pingsBefore = pings()
  for (let count = 0; count < 100; count++) keepAlive.suspect()
  expect([pings(), lost]).toEqual([pingsBefore, []])
  vi.advanceTimersByTime(10_000)
  expect(lost).toEqual([8000])
})
