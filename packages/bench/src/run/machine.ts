// The machine that the figures hold for: a figure without it says nothing.
import { setTimeout as delay } from 'node:timers/promises'
import { arch, availableParallelism, cpus, loadavg, platform, release, totalmem } from 'node:os'

export interface Machine {
  cpu: string
  cores: number
  memoryBytes: number
  platform: string
  release: string
  arch: string
  node: string
  /** The part of the CPU time that others took just before the run, 0 to 1. */
  busyBefore: number
  /** The 1-minute load average before and after; 0 on Windows, which has none. */
  loadBefore: number
  loadAfter: number
}

/** How long to look at what the machine does before the run, in milliseconds. */
const LOOK_MS = 250

/** Describes this machine before a run; the load after it is filled in by whoever ends it. */
export async function describeMachine(): Promise<Machine> {
  const load = readLoad()
  return {
    cpu: cpus()[0]?.model.trim() || 'unknown CPU',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    platform: platform(),
    release: release(),
    arch: arch(),
    node: process.version,
    busyBefore: await readBusy(),
    loadBefore: load,
    loadAfter: load,
  }
}

/** The 1-minute load average. */
export const readLoad = (): number => Math.round((loadavg()[0] ?? 0) * 100) / 100

/** The part of the CPU time that is taken while this process waits, 0 to 1. */
async function readBusy(): Promise<number> {
  const before = readTimes()
  await delay(LOOK_MS)
  const after = readTimes()
  const total = after.total - before.total
  return total === 0 ? 0 : Math.round((1 - (after.idle - before.idle) / total) * 100) / 100
}

function readTimes(): { total: number; idle: number } {
  const times = cpus().map(cpu => cpu.times)
  const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0)
  return { total: sum(times.flatMap(one => Object.values(one))), idle: sum(times.map(({ idle }) => idle)) }
}
