import { MessageChannel } from 'node:worker_threads'
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { countTurns, deadline, pause, type Peer, patience, silence, SILENT_MS } from './timers.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function watch({ isReady = true } = {}) {
  const code = { running: isReady ? 7 : undefined }
  const onSilent = vi.fn<() => void>()
  const stop = silence(SILENT_MS, { readMs: () => code.running }, onSilent)
  const run = (ms: number, share: number): void => {
    for (let at = 0; at < ms; at++) {
      if (code.running !== undefined) code.running += share
      vi.advanceTimersByTime(1)
    }
  }
  return { code, onSilent, stop, run }
}

test('code that runs all the time is silent after 20 ms, once', () => {
  const { onSilent, run } = watch()
  run(19, 1)
  expect(onSilent).not.toHaveBeenCalled()
  run(2, 1)
  expect(onSilent).toHaveBeenCalledOnce()
  run(1000, 1)
  expect(onSilent).toHaveBeenCalledOnce()
  expect(vi.getTimerCount()).toBe(0)
})

test('code that gets a tenth of a core has ten times as long to answer', () => {
  const { onSilent, run } = watch()
  run(190, 0.1)
  expect(onSilent).not.toHaveBeenCalled()
  run(20, 0.1)
  expect(onSilent).toHaveBeenCalledOnce()
})

test('code that waits for something, or has answered, is never silent', () => {
  const waiting = watch()
  waiting.run(10_000, 0)
  expect(waiting.onSilent).not.toHaveBeenCalled()
  const answering = watch()
  answering.run(15, 1)
  answering.code.running = undefined
  answering.run(10_000, 1)
  expect(answering.onSilent).not.toHaveBeenCalled()
})

test('an answer that this thread has not read yet counts', () => {
  const onSilent = vi.fn<() => void>()
  const read = vi.fn<() => number | undefined>().mockReturnValueOnce(0).mockReturnValueOnce(100)
  silence(SILENT_MS, { readMs: read.mockReturnValue(undefined) }, onSilent)
  vi.advanceTimersByTime(10_000)
  expect(read.mock.results.length).toBeGreaterThan(3)
  expect(onSilent).not.toHaveBeenCalled()
})

test('code that becomes ready later has its time from then on', () => {
  const { code, onSilent, run } = watch({ isReady: false })
  run(100, 1)
  code.running = 5000
  run(19, 1)
  expect(onSilent).not.toHaveBeenCalled()
  run(20, 1)
  expect(onSilent).toHaveBeenCalledOnce()
})

test('each turn of this thread counts by default, and one that it was held up in is one turn', () => {
  const onSilent = vi.fn<() => void>()
  silence(1000, {}, onSilent)
  vi.setSystemTime(Date.now() + 3_600_000)
  vi.runOnlyPendingTimers()
  vi.advanceTimersByTime(700)
  expect(onSilent).not.toHaveBeenCalled()
  vi.advanceTimersByTime(100)
  expect(onSilent).toHaveBeenCalledOnce()
})

test('no turn counts in which the one that is waited for is held', () => {
  let isHeld = true
  const onSilent = vi.fn<() => void>()
  silence(1000, { readMs: countTurns(() => isHeld) }, onSilent)
  vi.advanceTimersByTime(60_000)
  isHeld = false
  vi.advanceTimersByTime(700)
  expect(onSilent).not.toHaveBeenCalled()
  vi.advanceTimersByTime(600)
  expect(onSilent).toHaveBeenCalledOnce()
})

test('the time begins again with each sign of life', () => {
  let sign = 0
  const onSilent = vi.fn<() => void>()
  silence(1000, { readSign: () => sign }, onSilent)
  for (; sign < 20; sign++) vi.advanceTimersByTime(900)
  expect(onSilent).not.toHaveBeenCalled()
  vi.advanceTimersByTime(1500)
  expect(onSilent).toHaveBeenCalledOnce()
})

test('nothing is watched any more after the end', () => {
  const { onSilent, stop, run } = watch()
  stop()
  expect(vi.getTimerCount()).toBe(0)
  run(1000, 1)
  expect(onSilent).not.toHaveBeenCalled()
})

test('the end comes in time until the second look', () =>
  rows([true, false])(isEnded => {
    const onSilent = vi.fn<() => void>()
    const stop = silence(1000, {}, onSilent)
    for (let turn = 0; turn < 4; turn++) vi.advanceTimersToNextTimer()
    expect(onSilent).not.toHaveBeenCalled()
    if (isEnded) stop()
    vi.advanceTimersToNextTimer()
    expect(onSilent).toHaveBeenCalledTimes(isEnded ? 0 : 1)
  }))

test('a deadline is over only if nothing has arrived, although this thread was busy', () =>
  rows([
    ['is not over if what it waits for arrived while this thread was busy', true],
    ['is over if nothing has arrived', false],
  ])(async (_what, arrives) => {
    vi.useRealTimers()
    const { port1, port2 } = new MessageChannel()
    onTestFinished(() => port1.close())
    const onLate = vi.fn<() => void>()
    port1.on('message', () => end())
    // The event loop runs timers next, before it reads.
    await new Promise(setImmediate)
    const end = deadline(10, onLate)
    if (arrives) port2.postMessage(undefined)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20)
    // After the turn in which the deadline has passed.
    for (let turn = 0; turn < 2; turn++) await new Promise(setImmediate)
    expect(onLate).toHaveBeenCalledTimes(arrives ? 0 : 1)
  }))

test('a deadline that has ended is never over', () => {
  deadline(10, () => {})()
  expect(vi.getTimerCount()).toBe(0)
})

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

test('a peer that gets on has its time again, and is asked again', () => {
  let progress = 0
  patience(peer, 1000, onAnswer, () => progress)
  for (; progress < 10; asked.shift()!()) {
    vi.advanceTimersByTime(1100)
    progress++
  }
  expect(onAnswer).not.toHaveBeenCalled()
  vi.advanceTimersByTime(1100)
  asked.shift()!()
  expect(onAnswer).toHaveBeenCalledOnce()
})

test('a peer that gets on without an end has its time as often as it may', () => {
  let progress = 0
  patience(peer, 1000, onAnswer, () => progress++, 20)
  for (let times = 1; times <= 20; times++) {
    expect(onAnswer).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1100)
    asked.shift()!()
  }
  expect(onAnswer).toHaveBeenCalledOnce()
})

test('a thread that was busy or suspended for all of the time has had one turn', () => {
  patience(peer, 1000, onAnswer)
  vi.setSystemTime(Date.now() + 60_000)
  vi.runOnlyPendingTimers()
  vi.runOnlyPendingTimers()
  expect(asked).toHaveLength(0)
})

test('a pause that is aborted rejects with the reason of its signal, also if it was aborted before', () =>
  rows([false, true])(async isBefore => {
    const controller = new AbortController()
    const reason = new Error('The bus ends')
    if (isBefore) controller.abort(reason)
    const paused = pause(2 ** 30, controller.signal)
    controller.abort(reason)
    await expect(paused).rejects.toBe(reason)
  }))
