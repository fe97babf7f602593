// What a slow host has not taken delays a deadline, on a clock of the test's own.
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { RelayOutput } from './relay-output.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function create() {
  const asked: (() => void)[] = []
  const output = new RelayOutput({ write: (_stream, _chunk, done) => void asked.push(done) })
  const end = vi.fn<() => void>()
  const write = (size = 1): void => output.write('stdout', new Uint8Array(size), () => {})
  return { output, end, write, take: () => asked.shift()!() }
}

test('time counts only while the host has taken everything', () => {
  const { output, end, write, take } = create()
  output.setDeadline(1000, end)
  for (let count = 0; count < 3; count++) {
    vi.advanceTimersByTime(300)
    write()
    vi.advanceTimersByTime(60_000)
    take()
  }
  vi.advanceTimersByTime(99)
  expect(end).not.toHaveBeenCalled()
  vi.advanceTimersByTime(1)
  expect(end).toHaveBeenCalledOnce()
})

test('a deadline that is set while the host has not taken everything waits for it', () => {
  const { output, end, write, take } = create()
  write()
  write()
  output.setDeadline(0, end)
  take()
  vi.advanceTimersByTime(60_000)
  expect(end).not.toHaveBeenCalled()
  take()
  vi.advanceTimersByTime(1)
  expect(end).toHaveBeenCalledOnce()
})

test('output without an end does not delay a deadline for ever', () => {
  const { output, end, write, take } = create()
  output.setDeadline(1000, end)
  let written = 0
  while (end.mock.calls.length === 0) {
    write(2 ** 20)
    written++
    vi.advanceTimersByTime(500)
    take()
  }
  expect(written).toBe(10)
})

test('a deadline that is over does not end again', () => {
  const { output, end, write, take } = create()
  output.setDeadline(1000, end)
  vi.advanceTimersByTime(1000)
  write()
  take()
  vi.advanceTimersByTime(5000)
  expect(end).toHaveBeenCalledOnce()
})

test('the output after the first deadline counts for each, in bytes', () => {
  const { output, end, take } = create()
  output.setDeadline(1000, () => {})
  vi.advanceTimersByTime(1000)
  output.write('stdout', 'ä'.repeat(4 * 2 ** 20), () => {})
  take()
  output.setDeadline(1000, end)
  output.write('stdout', 'a', () => {})
  vi.advanceTimersByTime(1000)
  expect(end).toHaveBeenCalledOnce()
})

test('a deadline that is cleared does not end, and all output is waited for', async () => {
  const { output, end, write, take } = create()
  output.setDeadline(1000, end)
  write()
  output.clearDeadlines()
  const onTaken = vi.fn<() => void>()
  const taken = output.taken().then(onTaken)
  await vi.advanceTimersByTimeAsync(5000)
  expect(onTaken).not.toHaveBeenCalled()
  take()
  await taken
  vi.advanceTimersByTime(5000)
  expect(end).not.toHaveBeenCalled()
})
