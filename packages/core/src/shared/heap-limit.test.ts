// The checks of invented workers in virtual time, as on a version of Node that can measure workers.
import { EventEmitter } from 'node:events'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { limitHeap as LimitHeap } from './heap-limit.js'

const MIB = 2 ** 20
const limits = { maxOldGenerationSizeMb: 64 }
const measured = Object.getOwnPropertyDescriptor(Worker.prototype, 'getHeapStatistics')
let limitHeap: typeof LimitHeap

beforeEach(async () => {
  Object.defineProperty(Worker.prototype, 'getHeapStatistics', { configurable: true, value() {} })
  vi.resetModules()
  ;({ limitHeap } = await import('./heap-limit.js'))
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
  if (measured) Object.defineProperty(Worker.prototype, 'getHeapStatistics', measured)
  else Reflect.deleteProperty(Worker.prototype, 'getHeapStatistics')
  // Other files in this process import the module again.
  vi.resetModules()
})

/** A worker with a heap of this many MiB. */
class FakeWorker extends EventEmitter {
  active = 0
  checks = 0
  measurements = 0
  readonly terminate = vi.fn<() => void>()
  constructor(public heap: number) {
    super()
    limitHeap(this as unknown as Worker, limits)
    this.on('error', () => {})
  }
  readonly performance = {
    eventLoopUtilization: (before?: { active: number }) => {
      if (before) this.checks++
      return { active: this.active - (before?.active ?? 0), idle: 1000 }
    },
  }
  getHeapStatistics() {
    this.measurements++
    return Promise.resolve({ used_heap_size: this.heap * MIB })
  }
  /** Computes for a moment, and is measured. */
  async compute(): Promise<void> {
    this.active += 5
    const { measurements } = this
    while (this.measurements === measurements) await vi.advanceTimersByTimeAsync(10)
  }
}

const countChecks = async (worker: FakeWorker, ms: number): Promise<number> => {
  const before = worker.checks
  await vi.advanceTimersByTimeAsync(ms)
  return worker.checks - before
}

test('an idle worker with a small heap is checked less than 8 times a second', async () => {
  const worker = new FakeWorker(10)
  await worker.compute()
  expect(await countChecks(worker, 10_000)).toBeLessThan(80)
  expect(worker.measurements).toBe(1)
})

test('an idle worker is checked before its heap could grow by the reserve', async () => {
  const worker = new FakeWorker(64 + 500)
  await worker.compute()
  expect(await countChecks(worker, 1000)).toBe(20)
})

test('a worker that computes is measured every 50 ms', async () => {
  const worker = new FakeWorker(10)
  await worker.compute()
  await vi.advanceTimersByTimeAsync(1000)
  await worker.compute()
  const before = worker.measurements
  for (let round = 0; round < 100; round++) {
    worker.active += 10
    await vi.advanceTimersByTimeAsync(10)
  }
  expect(worker.measurements - before).toBeGreaterThanOrEqual(19)
})

test('a heap that exceeds the limit ends its worker, and no other', async () => {
  const [worker, other] = [new FakeWorker(10), new FakeWorker(10)]
  await Promise.all([worker.compute(), other.compute()])
  await vi.advanceTimersByTimeAsync(1000)
  worker.heap = 64 + 512
  await worker.compute()
  expect(worker.terminate).toHaveBeenCalledOnce()
  expect(other.terminate).not.toHaveBeenCalled()
  expect(await countChecks(worker, 1000)).toBe(0)
})

test('all workers have one timer, also one that starts while the others are idle, and none is left after the last exit', async () => {
  const workers = Array.from({ length: 10 }, () => new FakeWorker(10))
  await Promise.all(workers.map(worker => worker.compute()))
  await vi.advanceTimersByTimeAsync(1000)
  const last = new FakeWorker(10)
  expect(vi.getTimerCount()).toBe(1)
  expect(await countChecks(last, 50)).toBe(1)
  for (const worker of [...workers, last]) worker.emit('exit')
  await vi.advanceTimersByTimeAsync(1000)
  expect(vi.getTimerCount()).toBe(0)
})
