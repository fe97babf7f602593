// The machine of a run, as a report has it.
import { arch, availableParallelism, cpus, loadavg, platform, release, totalmem } from 'node:os'
import type { Report } from './report.js'

export const readLoad = (): number => Math.round((loadavg()[0] ?? 0) * 100) / 100

/** Describes this machine before a run. The caller replaces `loadAfter` after it. */
export const readMachine = (): Report['machine'] => ({
  cpu: cpus()[0]?.model.trim() || 'unknown CPU',
  cores: availableParallelism(),
  memoryBytes: totalmem(),
  ...{ platform: platform(), release: release(), arch: arch(), node: process.version },
  ...{ loadBefore: readLoad(), loadAfter: readLoad() },
})
