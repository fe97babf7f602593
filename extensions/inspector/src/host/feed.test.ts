import { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { BusStats } from '@sallyport/core'
import type { InspectedBus } from '@sallyport/core/internal'
import type { Snapshot } from '../contract/views.js'
import { NO_TRAFFIC } from '../../test/support/traffic.js'
import { Feed } from './feed.js'
import { MAX_SHOWN, RunningTotals } from './snapshot.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

class FakeResponse extends EventEmitter {
  writableLength = 0
  readonly written: string[] = []
  destroyed = false
  write(text: string): void {
    this.written.push(text)
  }
  end(text: string): void {
    this.write(text)
  }
  destroy(): void {
    this.destroyed = true
    this.emit('close')
  }
  get all(): Snapshot[] {
    return this.written
      .flatMap(text => /^event: snapshot\ndata: (.*)/.exec(text)?.[1] ?? [])
      .map(text => JSON.parse(text) as Snapshot)
  }
  get last(): Snapshot {
    return this.all.at(-1)!
  }
}

const EVERYTHING = { find: '', of: undefined }
const worker = { state: 'running', restarts: 0 } as const
let emitDenied: (event: { label: string; command: string; hint: string; more?: number }) => void

function createView(labels: readonly string[]): InspectedBus {
  const frontends = Object.fromEntries(
    labels.map(label => [label, { ...worker, ...NO_TRAFFIC, rejected: 0, unsent: 0, served: {} }]),
  )
  const last = labels.at(-1)
  if (last) frontends[last] = { ...frontends[last]!, state: 'backingOff' as 'running' }
  return {
    getState: () => 'running',
    getStats: () => ({ uptime: 1, core: { ...worker, inFlight: 0, slow: 0 }, host: NO_TRAFFIC, frontends, spares: 2 }),
    getWorkerStatuses: () => new Map(),
    isCoreInProcess: false,
    getInfo: () => undefined,
    measure: () => Promise.resolve({ running: [] }),
    release() {},
    on(name, listener) {
      if (name === 'denied') emitDenied = listener as typeof emitDenied
      return () => {}
    },
    explain: () => Promise.reject(new Error('unused')),
  }
}

function open(view: InspectedBus): { feed: Feed; page: FakeResponse } {
  const [feed, page] = [new Feed(view, 'vscode://file{file}:{line}:{column}'), new FakeResponse()]
  feed.add(page as unknown as ServerResponse, EVERYTHING)
  return { feed, page }
}

test('shows a hundred of 10 000 frontends, and first those that need attention', async () => {
  const labels = Array.from({ length: 10_000 }, (_, i) => `frontend-${i}`)
  const { feed, page } = open(createView(labels))
  emitDenied({ label: 'frontend-5000', command: 'read', hint: '' })
  await vi.advanceTimersByTimeAsync(0)
  const { frontends, found, open: total } = page.last
  expect([frontends.length, found, total]).toEqual([MAX_SHOWN, 10_000, 10_000])
  const first = frontends.slice(0, 3).map(({ label }) => label)
  expect(first).toEqual(['frontend-5000', 'frontend-9999', 'frontend-0'])
  expect(page.written.at(-1)!.length).toBeLessThan(100_000)
  feed.end('')
})

test('does not name frontends that stop because the bus closes', async () => {
  const view = createView(['failed', 'main'])
  const stats = view.getStats()
  stats.frontends['failed']!.state = 'failed'
  stats.frontends['main']!.state = 'stopped'
  let state: ReturnType<InspectedBus['getState']> = 'running'
  const { feed, page } = open({ ...view, getState: () => state })
  const getLabels = (): string[] => page.last.culprits.map(({ label }) => label)
  await vi.advanceTimersByTimeAsync(0)
  expect(getLabels()).toEqual(['failed', 'main'])
  state = 'draining'
  await vi.advanceTimersByTimeAsync(1000)
  expect(getLabels()).toEqual(['failed'])
  feed.end('')
})

test('sends fewer snapshots if they take long, but not after some long ones, and one every second', async () => {
  const view = createView(['main'])
  let durations = [100, 100, 100]
  const { feed, page } = open({
    ...view,
    getStats() {
      vi.advanceTimersByTime(durations.shift() ?? 0)
      return view.getStats()
    },
  })
  const countSnapshots = async (ms: number): Promise<number> => {
    const before = page.all.length
    await vi.advanceTimersByTimeAsync(ms)
    return page.all.length - before
  }
  expect(await countSnapshots(1000)).toBeGreaterThan(2)
  durations = Array.from({ length: 100 }, () => 100)
  await countSnapshots(1000)
  expect(await countSnapshots(20_000)).toBe(20)
  feed.end('')
})

test('writes nothing to a page that does not read, and disconnects it after a while', async () => {
  const { feed, page } = open(createView(['main']))
  const other = new FakeResponse()
  feed.add(other as unknown as ServerResponse, EVERYTHING)
  await vi.advanceTimersByTimeAsync(1000)
  const before = page.written.length
  expect(before).toBeGreaterThan(2)
  page.writableLength = 1
  await vi.advanceTimersByTimeAsync(20_000)
  expect(page.written.length).toBe(before)
  expect(page.destroyed).toBe(false)
  await vi.advanceTimersByTimeAsync(15_000)
  expect(page.destroyed).toBe(true)
  expect(other.written.length).toBeGreaterThan(50)
  feed.end('')
})

test('sends recent events once, and later to a page that could not read them', async () => {
  const { feed, page } = open(createView(['main']))
  await vi.advanceTimersByTimeAsync(1000)
  expect(page.last.recent).toBeUndefined()
  page.writableLength = 1
  for (let i = 0; i < 100_000; i++)
    emitDenied({ label: 'main', command: `c${i % 500}`, hint: '', ...(i % 100 === 0 && { more: 1000 }) })
  await vi.advanceTimersByTimeAsync(1000)
  page.writableLength = 0
  await vi.advanceTimersByTimeAsync(300)
  const { refusals } = page.all.findLast(({ recent }) => recent !== undefined)!.recent!
  expect(refusals.length).toBe(100)
  expect(refusals.find(({ what }) => what === '')).toMatchObject({ count: 1_000_000 })
  await vi.advanceTimersByTimeAsync(1000)
  expect(page.last.recent).toBeUndefined()
  feed.end('')
})

test('sends totals that do not fall when frontends end or begin again, or less is queued', () => {
  const totals = new RunningTotals()
  const update = (calls: Record<string, number>, restarts: number, queued: number) => {
    const frontends = Object.entries(calls).map(([label, count]) => [
      label,
      { ...worker, ...NO_TRAFFIC, restarts, queued, calls: count, rejected: 0, unsent: 0, served: {} },
    ])
    return totals.update({
      ...createView([]).getStats(),
      frontends: Object.fromEntries(frontends) as BusStats['frontends'],
    })
  }
  expect(update({ one: 10, two: 5 }, 1, 900)).toMatchObject({ calls: 15, restarts: 2 })
  expect(update({ one: 12 }, 1, 0)).toMatchObject({ calls: 17, restarts: 2 })
  expect(update({ one: 12, two: 3 }, 1, 0)).toMatchObject({ calls: 20, restarts: 3 })
  expect(update({ one: 4 }, 0, 0)).toMatchObject({ calls: 24, restarts: 3 })
  expect(update({}, 0, 0)).not.toHaveProperty('queued')
})

test('shows equal events apart if there was a pause between them', async () => {
  const { feed, page } = open(createView(['main']))
  for (const pause of [1000, 9000, 30_000, 1000]) {
    emitDenied({ label: 'main', command: 'read', hint: 'add "allow-read"' })
    await vi.advanceTimersByTimeAsync(pause)
  }
  const { refusals } = page.all.findLast(({ recent }) => recent !== undefined)!.recent!
  expect(refusals.map(({ count, at, since }) => [count, at - since])).toEqual([
    [1, 0],
    [3, 10_000],
  ])
  expect(refusals[0]!.why).toBe('add "allow-read"')
  feed.end('')
})

test('records a block of a core in the thread of the host that begins while it is measured', async () => {
  const view = createView(['main'])
  let ms = 0
  const measure = (): ReturnType<InspectedBus['measure']> => {
    vi.advanceTimersByTime(ms)
    ms = 0
    return view.measure()
  }
  const { feed, page } = open({ ...view, isCoreInProcess: true, measure })
  await vi.advanceTimersByTimeAsync(1000)
  ms = 1500
  await vi.advanceTimersByTimeAsync(1000)
  const { troubles } = page.all.findLast(({ recent }) => recent !== undefined)!.recent!
  expect(troubles).toMatchObject([{ kind: 'blocked', label: 'core', why: 'core did not answer for 1.5 s' }])
  feed.end('')
})

test('ends the page when a measurement fails', async () => {
  const view = createView(['main'])
  view.measure = () => Promise.reject(new Error('no'))
  const { page } = open(view)
  await vi.advanceTimersByTimeAsync(0)
  expect(page.written.at(-1)).toBe('event: end\ndata: {"why":"The inspector failed: no"}\n\n')
})

test('measures once a second without pages, and no more once it has ended', async () => {
  const view = createView(['main'])
  const measure = vi.spyOn(view, 'measure')
  const { feed, page } = open(view)
  await vi.advanceTimersByTimeAsync(1000)
  page.destroy()
  await vi.advanceTimersByTimeAsync(1000)
  const before = measure.mock.calls.length
  await vi.advanceTimersByTimeAsync(60_000)
  expect(measure.mock.calls.length).toBe(before + 60)
  feed.end('')
  await vi.advanceTimersByTimeAsync(60_000)
  expect(measure.mock.calls.length).toBe(before + 60)
})

test('counts what was refused and dropped since the inspector was opened, in the line and in the figure', async () => {
  const view = createView(['main'])
  const stats = view.getStats()
  const main = stats.frontends['main']!
  main.state = 'running'
  main.unsent = 1000
  main.events = { ...main.events }
  const { feed, page } = open({ ...view, getStats: () => stats })
  await vi.advanceTimersByTimeAsync(1000)
  expect(page.last).toMatchObject({ culprits: [], lastMinute: { refused: 0 }, totals: { unsent: 1000 } })
  main.unsent += 5920
  main.events.dropped += 7
  await vi.advanceTimersByTimeAsync(1000)
  const text = 'had 5,920 calls rejected (Overloaded, maxInFlight); too slow for events, of which 7 were dropped'
  expect(page.last.culprits).toMatchObject([{ label: 'main', text }])
  expect(page.last.lastMinute).toMatchObject({ refused: 5920, dropped: 7 })
  await vi.advanceTimersByTimeAsync(70_000)
  expect(page.last).toMatchObject({ culprits: [], lastMinute: { refused: 0, dropped: 0 } })
  feed.end('')
})
