// Limits of a process: memory and the number of processes and threads at any moment, and CPU time over ten seconds. Linux only, as usage is
// read from /proc; elsewhere the options are rejected. A cgroup holds its limits between two checks.
import { readFileSync } from 'node:fs'
import type { ProcessLimits } from '../contract/host-relay.js'
import { readReachedLimit } from '../launchers/cgroup.js'
import type { Launch } from '../launchers/launcher.js'
import { getChildren } from './child.js'

const CPU_WINDOW_MS = 10_000
/** Interval of checks. Memory can grow by some hundred MiB between two of them. */
const CHECK_INTERVAL_MS = 100
const MIB: number = 2 ** 20
/** Linux counts CPU time in ticks of this length for programs, on every machine that Node runs on. */
const TICKS_PER_SECOND = 100

export interface ExceededLimit {
  limit: 'memory' | 'cpu' | 'pids'
  max: number
  /** A clause for error texts: `used 201 MiB of memory (limit: 200 MiB)`. */
  text: string
}

type LaunchedLimits = Pick<Launch, 'cgroups' | 'processes'>

/** Checks the limits of a process and its descendants. Returns a function that stops the checks. */
export function watchLimits(
  pid: number,
  limits: ProcessLimits,
  launched: LaunchedLimits,
  onExceeded: (exceeded: ExceededLimit) => void,
): () => void {
  if (Object.values(limits).every(limit => limit === undefined)) return () => {}
  const check = createLimitCheck(limits)
  const timer = setInterval(() => {
    const usage = readTreeUsage(pid)
    if (!usage) return
    const pids = usage.pids - (launched.processes ?? 0)
    // A process whose threads the kernel refuses to start can continue.
    const reached = limits.pids === undefined ? undefined : describeReached(launched)
    const exceeded = reached ?? check({ ...usage, pids }, performance.now())
    if (exceeded) onExceeded(exceeded)
  }, CHECK_INTERVAL_MS)
  return () => clearInterval(timer)
}

/** Returns the limit that the kernel has enforced for a process with cgroups. */
export function describeReached({ cgroups = [], processes = 0 }: LaunchedLimits): ExceededLimit | undefined {
  const reached = readReachedLimit(cgroups)
  if (!reached) return undefined
  const { limit, max } = reached
  if (limit === 'memory') return { limit, max, text: `used more memory than its limit (${max} MiB)` }
  const allowed = max - processes
  return { limit, max: allowed, text: `tried to have more processes and threads than its limit (${allowed})` }
}

/** Returns a function that takes one sample after another, and returns which limit was exceeded, if any. */
export function createLimitCheck(limits: ProcessLimits): (usage: Usage, now: number) => ExceededLimit | undefined {
  const { memory, cpu, pids } = limits
  /** Samples within the window, and the last one before it. */
  const samples: { at: number; cpu: number }[] = []
  return (usage, now) => {
    if (memory !== undefined && usage.memory > memory * MIB) {
      const text = `used ${Math.ceil(usage.memory / MIB)} MiB of memory (limit: ${memory} MiB)`
      return { limit: 'memory', max: memory, text }
    }
    if (pids !== undefined && usage.pids > pids) {
      return { limit: 'pids', max: pids, text: `had ${usage.pids} processes and threads (limit: ${pids})` }
    }
    if (cpu === undefined) return undefined
    samples.push({ at: now, cpu: usage.cpu })
    while (samples.length > 1 && now - samples[1]!.at >= CPU_WINDOW_MS) samples.shift()
    const oldest = samples[0]!
    const time = now - oldest.at
    if (time < CPU_WINDOW_MS) return undefined
    const share = (usage.cpu - oldest.cpu) / time
    if (share <= cpu) return undefined
    const text = `used ${share.toFixed(2)} of a core for ${CPU_WINDOW_MS / 1000} s (limit: ${cpu})`
    return { limit: 'cpu', max: cpu, text }
  }
}

export interface Usage {
  /** Resident bytes. */
  memory: number
  /** Milliseconds of CPU time of all threads since the process started. */
  cpu: number
  /** Number of processes and threads. */
  pids: number
}

/** Returns the usage of a process with all of its descendants, or `undefined` if it has exited. */
export function readTreeUsage(pid: number): Usage | undefined {
  const total = readUsage(pid)
  if (!total) return undefined
  for (const child of getChildren(pid)) {
    const usage = readTreeUsage(child)
    if (!usage) continue
    total.memory += usage.memory
    total.cpu += usage.cpu
    total.pids += usage.pids
  }
  return total
}

/** Returns `undefined` if the process has exited. Synchronous, because reading /proc takes a few microseconds. */
function readUsage(pid: number): Usage | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1')
    const resident = /^VmRSS:\s+(\d+) kB$/m.exec(status)
    const threads = /^Threads:\s+(\d+)$/m.exec(status)
    // The name of the program is in parentheses and can contain anything.
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)!.split(' ')
    const ticks = Number(stat[11]) + Number(stat[12])
    return {
      memory: Number(resident?.[1] ?? 0) * 1024,
      cpu: (ticks * 1000) / TICKS_PER_SECOND,
      pids: Number(threads?.[1] ?? 0),
    }
  } catch {
    return undefined
  }
}
