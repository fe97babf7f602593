// The feed alone: thousands of frontends, and pages that do not read.
import { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { SessionTraffic } from '../reporting/stats.js'
import { Feed } from './feed.js'
import { MAX_SHOWN, type Snapshot } from './snapshot.js'
import type { BusView } from './view.js'

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
  get last(): Snapshot {
    return JSON.parse(/data: (.*)/.exec(this.written.at(-1)!)![1]!) as Snapshot
  }
}

const traffic = new SessionTraffic().snapshot(true, true)
const worker = { state: 'running', restarts: 0 } as const
let told: (event: { label: string; command: string; more?: number }) => void

function viewOf(labels: readonly string[]): BusView {
  const frontends = Object.fromEntries(labels.map(label => [label, { ...worker, ...traffic, rejected: 0 }]))
  const ended = labels.at(-1)
  if (ended) frontends[ended] = { ...frontends[ended]!, state: 'backingOff' as 'running' }
  return {
    state: 'running',
    stats: { uptime: 1, core: { ...worker, inFlight: 0, slow: 0 }, host: traffic, frontends },
    sights: new Map(),
    machines: {} as BusView['machines'],
    measure: () => Promise.resolve(true),
    on(name, handler) {
      if (name === 'denied') told = handler as typeof told
      return () => {}
    },
    explain: () => Promise.reject(new Error('unused')),
  }
}

function open(view: BusView): { feed: Feed; page: FakeResponse } {
  const [feed, page] = [new Feed(view), new FakeResponse()]
  feed.add(page as unknown as ServerResponse, '')
  return { feed, page }
}

test('of 10 000 frontends a hundred are told of, those first that do not run', async () => {
  const labels = Array.from({ length: 10_000 }, (_, i) => `frontend-${i}`)
  const { feed, page } = open(viewOf(labels))
  await vi.advanceTimersByTimeAsync(0)
  const { frontends, found, open: all } = page.last
  expect([frontends.length, found, all]).toEqual([MAX_SHOWN, 10_000, 10_000])
  expect(frontends[0]!.label).toBe('frontend-9999')
  expect(page.written.at(-1)!.length).toBeLessThan(100_000)
  feed.end('')
})

test('a page that does not read is written nothing, and after a while given up; the others go on', async () => {
  const { feed, page } = open(viewOf(['main']))
  const other = new FakeResponse()
  feed.add(other as unknown as ServerResponse, '')
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

test('news is sent once, and to a page that has missed it when it reads again', async () => {
  const { feed, page } = open(viewOf(['main']))
  await vi.advanceTimersByTimeAsync(1000)
  expect(page.last.news).toBeUndefined()
  page.writableLength = 1
  for (let i = 0; i < 100_000; i++)
    told({ label: 'main', command: `c${i % 500}`, ...(i % 100 === 0 && { more: 1000 }) })
  await vi.advanceTimersByTimeAsync(1000)
  page.writableLength = 0
  await vi.advanceTimersByTimeAsync(300)
  const { refusals } = page.written
    .map(text => /"news":(\{.*\})\}/.exec(text))
    .filter(Boolean)
    .map(found => JSON.parse(found![1]!) as NonNullable<Snapshot['news']>)
    .at(-1)!
  expect(refusals.length).toBe(100)
  expect(refusals.find(({ what }) => what === '')).toMatchObject({ count: 1_000_000 })
  await vi.advanceTimersByTimeAsync(1000)
  expect(page.last.news).toBeUndefined()
  feed.end('')
})

test('a look that fails ends the page, and not the host', async () => {
  const view = viewOf(['main'])
  view.measure = () => Promise.reject(new Error('no'))
  const { page } = open(view)
  await vi.advanceTimersByTimeAsync(0)
  expect(page.written.at(-1)).toBe('event: end\ndata: {"why":"The inspector has failed: no"}\n\n')
})

test('where nobody looks, nothing is looked at', async () => {
  const view = viewOf(['main'])
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
