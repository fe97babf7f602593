import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { NO_TRAFFIC } from '../../test/support/traffic.js'
import { FloodWatch } from './flood-watch.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const frontend = { ...NO_TRAFFIC, state: 'running', restarts: 0, rejected: 0, unsent: 0, served: {} } as const

function create() {
  const watch = new FloodWatch()
  return (calls: Record<string, number>, cpu?: number, coreCpu = 0) => {
    const entries = Object.entries(calls).map(([label, count]) => [label, { ...frontend, calls: count }] as const)
    const statuses = new Map([
      ['frontend "main"', { ...frontend, usage: { cpu } }],
      ['core', { ...frontend, usage: { cpu: coreCpu } }],
    ])
    return watch.update({ host: NO_TRAFFIC, frontends: Object.fromEntries(entries) }, statuses)
  }
}

test('finds who makes nearly all calls, with the CPU time that it takes', () => {
  const update = create()
  expect(update({ main: 5000, other: 5000 }, 100)).toBeUndefined()
  vi.advanceTimersByTime(2000)
  expect(update({ main: 25_000, other: 5200 }, 1300)).toEqual({
    ...{ label: 'main', rate: 10_000, cpu: 0.6 },
    share: expect.closeTo(0.99) as number,
  })
})

test('finds no flood in many calls of several, in few of one, or in one that has ended', () => {
  const update = create()
  update({ main: 0, other: 0 })
  vi.advanceTimersByTime(1000)
  expect(update({ main: 20_000, other: 8000 }), 'of several').toBeUndefined()
  vi.advanceTimersByTime(1000)
  expect(update({ main: 100_000, other: 8000 })).toBeDefined()
  vi.advanceTimersByTime(2000)
  expect(update({ main: 101_000, other: 8000 }), 'few').toBeUndefined()
})

test('finds a flood in fewer calls if they keep core busy', () => {
  const update = create()
  update({ main: 0 })
  vi.advanceTimersByTime(1000)
  expect(update({ main: 400 }, 0, 400)).toBeUndefined()
  vi.advanceTimersByTime(1000)
  expect(update({ main: 800 }, 0, 1000)).toMatchObject({ rate: 400 })
})

test('counts the calls of another frontend with the same label from 0', () => {
  const update = create()
  update({ main: 1_000_000 })
  vi.advanceTimersByTime(1000)
  expect(update({ main: 4000 })).toMatchObject({ label: 'main', rate: 4000 })
})
