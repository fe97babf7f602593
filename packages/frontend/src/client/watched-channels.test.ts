import { CallProgress } from '@sallyport/protocol/internal/message'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { WatchedChannels } from './watched-channels.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const begin = () => {
  const channels = new WatchedChannels()
  const progress = new CallProgress({ idle: 1000 })
  const state = { channels, progress, hasExpired: false, stop: () => {} }
  channels.watch(1, progress)
  state.stop = progress.watch(() => void (state.hasExpired = true))
  return state
}

test('messages extend the deadline, of their own channel alone', () => {
  const state = begin()
  vi.advanceTimersByTime(900)
  state.channels.received({ channel: 1, index: 0, message: 'x' })
  vi.advanceTimersByTime(900)
  expect(state.hasExpired).toBe(false)
  state.channels.received({ channel: 2, index: 0, message: 'x' })
  vi.advanceTimersByTime(100)
  expect(state.hasExpired).toBe(true)
})

test('while core waits for credit, the time stands still', () => {
  const state = begin()
  state.channels.received({ channel: 1, credit: 100 })
  vi.advanceTimersByTime(10_000)
  expect(state.hasExpired).toBe(false)
  state.channels.credited(1)
  vi.advanceTimersByTime(1000)
  expect(state.hasExpired).toBe(true)
})

test('each request for credit needs an answer of its own', () => {
  const state = begin()
  state.channels.received({ channel: 1, credit: 100 })
  state.channels.received({ channel: 1, credit: 100 })
  state.channels.credited(1)
  vi.advanceTimersByTime(10_000)
  expect(state.hasExpired).toBe(false)
})

test('a channel that ended holds no deadline up', () =>
  rows({
    ended: (channels: WatchedChannels) => channels.received({ channel: 1, index: 0, end: true }),
    'was closed': (channels: WatchedChannels) => channels.closed(1),
  })(end => {
    const state = begin()
    state.channels.received({ channel: 1, credit: 100 })
    end(state.channels)
    vi.advanceTimersByTime(1000)
    expect(state.hasExpired).toBe(true)
  }))

test('a call that is over no longer watches its channel', () => {
  const state = begin()
  const other = new CallProgress({ idle: 1000 })
  state.channels.watch(1, other)
  state.stop()
  const record = vi.spyOn(state.progress, 'record')
  state.channels.received({ channel: 1, index: 0, message: 'x' })
  expect(record).not.toHaveBeenCalled()
})
