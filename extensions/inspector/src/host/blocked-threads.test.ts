import { createHeartbeat, createHeartbeatFor, type Heartbeat } from '@sallyport/protocol/internal/contract'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { CallRecord } from '../contract/call-report.js'
import type { Measurement } from '../contract/views.js'
import { CallWatch } from '../calls.js'
import { BlockedThreads } from './blocked-threads.js'
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

test('reports a frontend whose heartbeat is late, until it beats again or has ended', () => {
  const { ended, blocked } = create()
  const heartbeat = createHeartbeat(8000)
  const next = createHeartbeatFor(heartbeat)
  let hasError = false
  const add = (heartbeats: [string, Heartbeat][] = [['main', heartbeat]]) =>
    Object.fromEntries(blocked.addFrontends(new Map(heartbeats), () => hasError))
  expect(add()).toEqual({})
  vi.advanceTimersByTime(60_000)
  expect(add(), 'it has not started').toEqual({})
  next()
  add()
  vi.advanceTimersByTime(1400)
  expect(add()).toEqual({})
  vi.advanceTimersByTime(1600)
  expect(add()).toEqual({ main: 3000 })
  next()
  expect(add()).toEqual({})
  expect(ended).toMatchObject([{ label: 'main', what: '', why: 'the frontend did not respond for 3.0 s' }])
  vi.advanceTimersByTime(2000)
  add()
  add([])
  expect(ended[1]).toMatchObject({ why: 'the frontend did not respond for 2.0 s until it ended' })
  hasError = true
  add()
  next()
  add()
  vi.advanceTimersByTime(3000)
  expect(add()).toEqual({ main: 3000 })
  add([])
  expect(ended.length, 'its error says why').toBe(2)
})
