import { createHeartbeat, createHeartbeatFor } from '@sallyport/protocol/internal/contract'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { CallRecord } from '../contract/call-report.js'
import type { Measurement } from '../contract/views.js'
import { CallWatch } from '../calls.js'
import { BlockedThreads, type WatchedThread } from './blocked-threads.js'
import type { Block } from './recent.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const watch = new CallWatch()
const answer = (calls: CallRecord[] = []): Measurement => ({ watched: { ...watch.report([]), calls } })

function create() {
  const ended: Block[] = []
  const blocked = new BlockedThreads(block => ended.push(block))
  const add = (measurement: Measurement | undefined, { isRunning = true, restarts = 0, blockedHostMs = 0 } = {}) =>
    blocked.addCore({ measurement, askedAt: performance.now(), isRunning, restarts, blockedHostMs })
  return { ended, blocked, add }
}

test('reports by which call core is blocked, and for how long it was', () => {
  const { ended, add } = create()
  expect(add(answer())).toBeUndefined()
  const { current } = watch
  current.enter(current.addName('report', 'render'))
  add(undefined)
  current.leave()
  vi.advanceTimersByTime(6000)
  expect(add(undefined)).toEqual({ ms: 6000, label: 'report', command: 'render' })
  expect(ended).toEqual([])
  expect(add(answer())).toBeUndefined()
  const why = 'core did not answer for 6.0 s'
  expect(ended).toEqual([{ label: 'report', what: 'render', why, since: Date.now() - 6000, at: Date.now() }])
  add(answer())
  expect(ended.length).toBe(1)
})

test('finds the call that blocked core and the host by its duration', () => {
  const { ended, add } = create()
  add(answer())
  vi.advanceTimersByTime(3000)
  const call = { id: 1, label: 'report', command: 'render', size: 0, at: Date.now() - 2900, ms: 2900, outcome: 'ok' }
  add(answer([call]), { blockedHostMs: 2950 })
  expect(ended).toMatchObject([{ label: 'report', what: 'render' }])
  expect(ended[0]!.why).toMatch(/^core did not answer for 2\.9 s/)
})

test('finds the call that blocked core before its first answer', () => {
  const { ended, add } = create()
  add(undefined)
  vi.advanceTimersByTime(3000)
  const call = { id: 1, label: 'report', command: 'render', size: 0, at: Date.now() - 2900, ms: 2900, outcome: 'ok' }
  add(answer([call]))
  expect(ended).toMatchObject([{ label: 'report', what: 'render' }])
  expect(ended[0]!.why).toBe('core did not answer for 2.9 s')
})

test('charges a call on a busy machine with its own time, and core itself if that was short', () => {
  const { ended, add } = create()
  const { current } = watch
  for (const ms of [2680, 20]) {
    add(answer())
    current.enter(current.addName('report', 'render'))
    add(undefined)
    current.leave()
    vi.advanceTimersByTime(7600)
    add(answer([{ id: 1, label: 'report', command: 'render', size: 0, at: Date.now() - 7600, ms, outcome: 'ok' }]))
  }
  expect(ended).toMatchObject([
    { label: 'report', what: 'render', why: expect.stringMatching(/^core did not answer for 2\.7 s/) },
    { label: 'core', what: '', why: expect.stringMatching(/^core did not answer for 7\.6 s/) },
  ])
})

test('reports core itself if the call is not known, or core ended', () => {
  const { ended, add } = create()
  add(undefined)
  vi.advanceTimersByTime(10_000)
  add(undefined, { isRunning: false })
  expect(ended).toMatchObject([{ label: 'core', what: '', why: 'core did not answer for 10 s until it ended' }])
})

test('does not take a core that is not running for a blocked one', () => {
  const { ended, add } = create()
  expect(add(undefined, { isRunning: false })).toBeUndefined()
  add(answer())
  expect(ended).toEqual([])
})

test('does not take the end of a core for a block', () => {
  const { ended, add } = create()
  add(answer())
  add(undefined)
  vi.advanceTimersByTime(500)
  add({ watched: { ...new CallWatch().report([]), since: 1 } })
  expect(ended).toEqual([])
})

test('ends the block of a core that has restarted, although the next one does not answer either', () => {
  const { ended, add } = create()
  add(answer())
  const { current } = watch
  current.enter(current.addName('report', 'render'))
  add(undefined)
  vi.advanceTimersByTime(2000)
  expect(add(undefined, { restarts: 1 })).toEqual({ ms: 0 })
  current.leave()
  expect(ended).toMatchObject([{ label: 'report', what: 'render' }])
  expect(ended[0]!.why).toMatch(/^core did not answer for 2\.0 s until it ended/)
  vi.advanceTimersByTime(500)
  add({ watched: new CallWatch().report([]) }, { restarts: 1 })
  expect(ended.length).toBe(1)
})

function createFrontends() {
  const { ended, blocked } = create()
  const heartbeats = { main: createHeartbeat(8000), other: createHeartbeat(8000) }
  const beats = { main: createHeartbeatFor(heartbeats.main), other: createHeartbeatFor(heartbeats.other) }
  const failed = new Set<string>()
  const add = (
    threads: Partial<
      Record<keyof typeof beats, Omit<WatchedThread, 'heartbeat' | 'isEnding'> & { isEnding?: true }>
    > = { main: {} },
  ) =>
    Object.fromEntries(
      blocked.addFrontends(
        new Map(
          Object.entries(threads).map(([label, thread]) => [
            label,
            { isEnding: false, ...thread, heartbeat: heartbeats[label as keyof typeof beats] },
          ]),
        ),
        label => failed.has(label),
      ),
    )
  return { ended, beats, failed, add }
}

test('reports a frontend whose heartbeat is late, until it beats again or has ended', () => {
  const { ended, beats, add } = createFrontends()
  expect(add()).toEqual({})
  vi.advanceTimersByTime(60_000)
  expect(add(), 'it has not started').toEqual({})
  beats.main()
  add()
  vi.advanceTimersByTime(1400)
  expect(add()).toEqual({})
  vi.advanceTimersByTime(1600)
  expect(add()).toEqual({ main: { ms: 3000 } })
  beats.main()
  expect(add()).toEqual({})
  expect(ended).toMatchObject([{ label: 'main', what: '', why: 'did not respond for 3.0 s' }])
  vi.advanceTimersByTime(2000)
  add()
  add({})
  expect(ended[1]).toMatchObject({ why: 'did not respond for 2.0 s until it ended' })
})

test('one block is one event: that of a frontend which is ended for it has its error', () => {
  const { ended, beats, failed, add } = createFrontends()
  beats.main()
  add()
  vi.advanceTimersByTime(3000)
  expect(add()).toEqual({ main: { ms: 3000 } })
  add({ main: { isEnding: true } })
  failed.add('main')
  add({})
  expect(ended).toEqual([])
})

test('names the code that a shared thread runs, and none of those that wait for it', () => {
  const { ended, beats, add } = createFrontends()
  const threads = { main: { runs: 'run-5' }, other: { runs: 'run-5' } }
  for (const beat of Object.values(beats)) beat()
  add(threads)
  vi.advanceTimersByTime(3500)
  const waits = { ms: 3500, waitsFor: 'run-5' }
  expect(add(threads)).toEqual({ main: waits, other: waits })
  const isEnding = true
  expect(
    add({ main: { runs: 'run-5', isEnding }, other: { runs: 'run-5', isEnding } }),
    'they are ended for it',
  ).toEqual({ main: waits, other: waits })
  beats.main()
  expect(add({ main: {}, other: { runs: 'run-5' } }), 'the first goes on elsewhere').toEqual({ other: waits })
  for (const beat of Object.values(beats)) beat()
  expect(add(threads)).toEqual({})
  const why = 'computed for 3.5 s while main and other waited (same script host)'
  expect(ended).toMatchObject([{ label: 'run-5', what: '', why }])
})

test('names the code that a shared thread runs, if another one cannot start', () => {
  const { add } = createFrontends()
  add({ main: { runs: 'run-5' } })
  vi.advanceTimersByTime(3500)
  expect(add({ main: { runs: 'run-5' } })).toEqual({ main: { ms: 3500, waitsFor: 'run-5' } })
  expect(add({ main: { runs: 'run-6' } })).toEqual({})
})

test('reports the block of a script for which others wait once', () => {
  const { ended, beats, add } = createFrontends()
  const threads = { main: {}, other: { runs: 'main' } }
  for (const beat of Object.values(beats)) beat()
  add(threads)
  vi.advanceTimersByTime(3500)
  expect(add(threads)).toEqual({ main: { ms: 3500 }, other: { ms: 3500, waitsFor: 'main' } })
  for (const beat of Object.values(beats)) beat()
  add(threads)
  expect(ended).toMatchObject([{ label: 'main', why: 'computed for 3.5 s while other waited (same script host)' }])
})

test('accuses nobody if it is not known whose code a shared thread runs', () => {
  const { ended, beats, add } = createFrontends()
  const threads = { main: { runs: null } }
  beats.main()
  add(threads)
  vi.advanceTimersByTime(3500)
  expect(add(threads)).toEqual({ main: { ms: 3500, waitsFor: null } })
  beats.main()
  add(threads)
  expect(ended).toEqual([])
  vi.advanceTimersByTime(12_000)
  add(threads)
  beats.main()
  add(threads)
  expect(ended).toMatchObject([{ label: 'main', why: 'waited for its script host for 12 s' }])
})
