// Finds who makes nearly all calls, if that are many: a flood is no error, and slows all others down.
import { getWorkerName } from '@sallyport/protocol/internal/contract'
import type { BusStats } from '@sallyport/core'
import type { WorkerStatus } from '@sallyport/core/internal'
import type { Flood } from '../contract/views.js'

const WINDOW_MS = 2000
/** Rates over less than this are not judged. */
const MIN_WINDOW_MS = 1000
/** Calls per second, and their share of all calls, from which on they are a flood. */
const MIN_RATE = 2000
/** On a busy machine, fewer occupy core for half of the time. */
const MIN_BUSY_RATE = 100
const MIN_BUSY_SHARE = 0.5
const MIN_SHARE = 0.8

interface Sample {
  at: number
  calls: ReadonlyMap<string, number>
  cpu: ReadonlyMap<string, number>
  coreCpu: number | undefined
}

export class FloodWatch {
  readonly #samples: Sample[] = []

  /** Returns the flood of the last two seconds. */
  update(
    { host, frontends }: Pick<BusStats, 'host' | 'frontends'>,
    workerStatus: ReadonlyMap<string, WorkerStatus>,
  ): Flood | undefined {
    const calls = new Map([['host', host.calls]])
    const cpu = new Map<string, number>()
    const coreCpu = workerStatus.get('core')?.usage?.cpu
    for (const [label, stats] of Object.entries(frontends)) {
      calls.set(label, stats.calls)
      const used = workerStatus.get(getWorkerName('frontend', label))?.usage?.cpu
      if (used !== undefined) cpu.set(label, used)
    }
    const last: Sample = { at: performance.now(), calls, cpu, coreCpu }
    const samples = this.#samples
    samples.push(last)
    while (samples.length > 2 && last.at - samples[1]!.at >= WINDOW_MS) samples.shift()
    const first = samples[0]!
    const ms = last.at - first.at
    return ms < MIN_WINDOW_MS ? undefined : compare(first, last, ms)
  }
}

function compare(first: Sample, last: Sample, ms: number): Flood | undefined {
  let [all, most, label] = [0, 0, '']
  for (const [caller, calls] of last.calls) {
    const made = getGrowth(first.calls.get(caller), calls)
    all += made
    // The host knows what it does itself.
    if (caller !== 'host' && made > most) [most, label] = [made, caller]
  }
  const [rate, share] = [(most / ms) * 1000, most / all]
  const isCoreBusy = (getShare(first.coreCpu, last.coreCpu, ms) ?? 0) >= MIN_BUSY_SHARE
  if (share < MIN_SHARE || rate < (isCoreBusy ? MIN_BUSY_RATE : MIN_RATE)) return undefined
  const cpu = getShare(first.cpu.get(label), last.cpu.get(label), ms)
  return { label, rate, share, ...(cpu !== undefined && { cpu }) }
}

/** Returns the share of the time, unless another thread was measured before. */
const getShare = (before: number | undefined, now: number | undefined, ms: number): number | undefined =>
  before === undefined || now === undefined || now < before ? undefined : (now - before) / ms

/** Another frontend can have the label since. */
const getGrowth = (before = 0, now: number): number => (now < before ? now : now - before)
