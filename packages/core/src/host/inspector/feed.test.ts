import { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type BusStats, SessionTraffic } from '../reporting/stats.js'
import { Feed } from './feed.js'
import { type BusView, MAX_SHOWN, RunningTotals } from './snapshot.js'
import type { Snapshot } from './views.js'

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
const traffic = new SessionTraffic().snapshot(true, true)
const worker = { state: 'running', restarts: 0 } as const
let emitDenied: (event: { label: string; command: string; hint: string; more?: number }) => void

function createView(labels: readonly string[]): BusView {
  const frontends = Object.fromEntries(labels.map(label => [label, { ...worker, ...traffic, rejected: 0 }]))
  const last = labels.at(-1)
  if (last) frontends[last] = { ...frontends[last]!, state: 'backingOff' as 'running' }
  return {
    getState: () => 'running',
    getStats: () => ({ uptime: 1, core: { ...worker, inFlight: 0, slow: 0 }, host: traffic, frontends }),
    getWorkerStatuses: () => new Map(),
    machines: {} as BusView['machines'],
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

function open(view: BusView): { feed: Feed; page: FakeResponse } {
  const [feed, page] = [new Feed(view), new FakeResponse()]
  feed.add(page as unknown as ServerResponse, EVERYTHING)
  return { feed, page }
}

test('shows a hundred of 10 000 frontends, and first those that are not running', async () => {
  const labels = Array.from({ length: 10_000 }, (_, i) => `frontend-${i}`)
  const { feed, page } = open(createView(labels))
  await vi.advanceTimersByTimeAsync(0)
  const { frontends, found, open: total } = page.last
  expect([frontends.length, found, total]).toEqual([MAX_SHOWN, 10_000, 10_000])
  expect(frontends[0]!.label).toBe('frontend-9999')
  expect(page.written.at(-1)!.length).toBeLessThan(100_000)
  feed.end('')
})

test('sends fewer snapshots if they take long, but not after a single long one', async () => {
  const view = createView(['main'])
  let durations = [100]
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
  durations = [100, 100]
  expect(await countSnapshots(10_000)).toBe(2)
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
      { ...worker, ...traffic, restarts, queued, calls: count, rejected: 0 },
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

test('ends the page when a measurement fails', async () => {
  const view = createView(['main'])
  view.measure = () => Promise.reject(new Error('no'))
  const { page } = open(view)
  await vi.advanceTimersByTimeAsync(0)
  expect(page.written.at(-1)).toBe('event: end\ndata: {"why":"The inspector failed: no"}\n\n')
})

test('measures nothing without pages', async () => {
  const view = createView(['main'])
  const measure = vi.spyOn(view, 'measure')
  const { feed, page } = open(view)
  await vi.advanceTimersByTimeAsync(1000)
  page.destroy()
  await vi.advanceTimersByTimeAsync(1000)
  const before = measure.mock.calls.length
  await vi.advanceTimersByTimeAsync(60_000)
  expect(measure.mock.calls.length).toBe(before)
  feed.end('')
})
