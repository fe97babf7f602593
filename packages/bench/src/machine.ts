// The machine that the figures hold for: a figure without it says nothing.
import { arch, availableParallelism, cpus, loadavg, platform, release, totalmem } from 'node:os'
import type { Machine } from './report/report.js'

/** Describes this machine; the load after the run is filled in by whoever ends it. */
export function describeMachine(): Machine {
  const load = readLoad()
  return {
    cpu: cpus()[0]?.model.trim() || 'unknown CPU',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    platform: platform(),
    release: release(),
    arch: arch(),
    node: process.version,
    loadBefore: load,
    loadAfter: load,
  }
}

/** The 1-minute load average. */
export const readLoad = (): number => Math.round((loadavg()[0] ?? 0) * 100) / 100
