// Limits of a process: memory, files, and the number of processes and threads at any moment, and CPU time over ten seconds. Linux only, as usage is
// read from /proc; elsewhere the options are rejected. A cgroup holds its limits between two checks.
import { readdirSync, readFileSync, statfsSync, statSync } from 'node:fs'
import { countTurns, every } from '@sallyport/protocol/internal/contract'
import type { ReportedError } from '@sallyport/protocol/internal/errors'
import { readReachedLimit } from '../launchers/cgroup.js'
import type { Launch, LaunchLimits } from '../launchers/launcher.js'

const CPU_WINDOW_MS = 10_000
/** Interval of checks. Memory can grow by some hundred MiB between two of them. */
const CHECK_INTERVAL_MS = 100
/** Of this thread's time. A program can have thousands of processes and threads, and the next check continues. */
const MAX_CHECK_MS = 20
const MIB: number = 2 ** 20
/** Linux counts CPU time in ticks of this length for programs, on every machine that Node runs on. */
const TICKS_PER_SECOND = 100
/** Files in `/tmp` without a content: each takes about 1 KiB of the kernel's memory, which counts for no process. */
const MIN_FILES = 1000
const FILES_PER_MIB = 1024

export interface ExceededLimit {
  limit: 'memory' | 'cpu' | 'pids' | 'tmp'
  max: number
  /** A clause for error texts: `used more memory than its limit of 200 MiB`. */
  text: string
}

// The kernel and the checks of `/proc` enforce the same limit, and report it in the same words.
export const describeMemory = (max: number): string => `used more memory than its limit of ${max} MiB`
const describePids = (max: number): string => `needed more processes and threads than its limit of ${max}`

type LaunchedLimits = Pick<Launch, 'cgroups' | 'processes'>

/** Checks the limits of a process and its descendants. Returns a function that stops the checks. @param onUsage - called with each reading */
export function watchLimits(
  pid: number,
  limits: LaunchLimits,
  launched: LaunchedLimits,
  onExceeded: (exceeded: ExceededLimit) => void,
  onUsage: (usage: Usage) => void = () => {},
): () => void {
  if (Object.values(limits).every(limit => limit === undefined)) return () => {}
  const check = createLimitCheck(limits)
  const { memory = Infinity, pids = Infinity } = limits
  const { processes = 0 } = launched
  let walk = readTree(pid)
  return every(CHECK_INTERVAL_MS, () => {
    const end = performance.now() + MAX_CHECK_MS
    let step = walk.next()
    let usage: Usage | undefined
    while (!step.done) {
      usage = step.value
      if (usage.memory > memory * MIB || usage.pids > pids + processes) break
      if (performance.now() >= end) return
      step = walk.next()
    }
    walk = readTree(pid)
    if (!usage) return
    onUsage(usage)
    // A process whose threads the kernel refuses to start can continue.
    const reached = limits.pids === undefined ? undefined : describeReached(launched)
    const files = limits.tmp === undefined ? 0 : countFiles(pid)
    const exceeded = reached ?? check({ ...usage, pids: usage.pids - processes, files }, performance.now())
    if (exceeded) onExceeded(exceeded)
  })
}

/** Returns the limit that the kernel has enforced for a process with cgroups. */
export function describeReached({ cgroups = [], processes = 0 }: LaunchedLimits): ExceededLimit | undefined {
  const reached = readReachedLimit(cgroups)
  if (!reached) return undefined
  const { limit, max } = reached
  if (limit === 'memory') return { limit, max, text: describeMemory(max) }
  const allowed = max - processes
  return { limit, max: allowed, text: describePids(allowed) }
}

/** The messages of V8 and of Node for a buffer that gets no memory. */
const REFUSED_BUFFER = /^(?:Array buffer allocation failed|Failed to allocate memory)$/

/** Returns an error that ended a process, with the limit if the kernel refused it memory before a check. Its stack is kept. */
export function explainRefusedMemory(name: string, error: ReportedError, memory: number | undefined): ReportedError {
  if (memory === undefined || !REFUSED_BUFFER.test(error.message)) return error
  const message = `${name} ${describeMemory(memory)}`
  return { ...error, message, limit: { limit: 'memory', max: memory } }
}

/** Returns a function that takes one sample after another, and returns which limit was exceeded, if any. */
export function createLimitCheck(
  limits: LaunchLimits,
): (usage: Usage & { files: number }, now: number) => ExceededLimit | undefined {
  const { memory, cpu, pids, tmp } = limits
  const maxFiles = tmp === undefined ? Infinity : MIN_FILES + Math.ceil(tmp * FILES_PER_MIB)
  /** Samples within the window, and the last one before it. */
  const samples: { at: number; cpu: number }[] = []
  return (usage, now) => {
    if (memory !== undefined && usage.memory > memory * MIB) {
      return { limit: 'memory', max: memory, text: describeMemory(memory) }
    }
    if (pids !== undefined && usage.pids > pids) {
      return { limit: 'pids', max: pids, text: describePids(pids) }
    }
    if (usage.files > maxFiles) {
      return { limit: 'tmp', max: tmp!, text: `had ${usage.files} files in /tmp (limit: ${maxFiles}, for ${tmp} MiB)` }
    }
    if (cpu === undefined) return undefined
    samples.push({ at: now, cpu: usage.cpu })
    while (samples.length > 1 && now - samples[1]!.at >= CPU_WINDOW_MS) samples.shift()
    const oldest = samples[0]!
    const time = now - oldest.at
    if (time < CPU_WINDOW_MS) return undefined
    const share = (usage.cpu - oldest.cpu) / time
    if (share <= cpu) return undefined
    // Rounded up: what is above the limit must not look like it.
    const text = `used ${(Math.ceil(share * 100) / 100).toFixed(2)} of a core for ${CPU_WINDOW_MS / 1000} s (limit: ${cpu})`
    return { limit: 'cpu', max: cpu, text }
  }
}

export interface Usage {
  /** Resident bytes, and those of page tables. */
  memory: number
  /** Milliseconds of CPU time of all threads since the process started. */
  cpu: number
  pids: number
}

/** Reads a process and its descendants in steps, each of one process or thread, and yields the sum so far. It yields nothing if the process has exited. */
export function* readTree(pid: number): Generator<Usage, void, void> {
  const total = { memory: 0, cpu: 0, pids: 0 }
  const waiting = [pid]
  for (const each of waiting) {
    const usage = readUsage(each)
    if (!usage) continue
    total.memory += usage.memory
    total.cpu += usage.cpu
    total.pids += usage.pids
    yield total
    for (const thread of getThreads(each)) {
      for (const child of getChildrenOf(each, thread)) waiting.push(child)
      yield total
    }
  }
}

/**
 * Returns milliseconds of CPU time of the main threads of a process and its descendants, where their code runs: V8 compiles in others. Returns
 * `undefined` if the process has exited.
 */
export const readMainThreadsCpu = (pid: number): number | undefined => readMainThreads(pid)?.cpu

/**
 * Returns a function that reads the milliseconds for which a process could run: CPU time of the main threads of its tree, and turns in which all of them sleep.
 * One that is stopped, or waits for a core of a busy machine, could not. Only Linux tells: elsewhere each turn of this thread counts.
 */
export function createProcessTime(getPid: () => number | undefined): (turn: number) => number | undefined {
  const countTurn = countTurns()
  let last = 0
  let total = 0
  return turn => {
    const turns = countTurn(turn)
    const pid = getPid()
    const now = pid === undefined ? undefined : readMainThreads(pid)
    if (!now) return pid === undefined || process.platform !== 'linux' ? turns : undefined
    total += now.isAsleep ? turn : Math.max(0, now.cpu - last)
    last = now.cpu
    return total
  }
}

function readMainThreads(pid: number): { cpu: number; isAsleep: boolean } | undefined {
  const own = readStat(`/proc/${pid}/task/${pid}/stat`)
  if (!own) return undefined
  const sum = { cpu: own.cpu, isAsleep: own.state === 'S' }
  for (const child of getChildren(pid)) {
    const of = readMainThreads(child)
    sum.cpu += of?.cpu ?? 0
    sum.isAsleep &&= of?.isAsleep !== false
  }
  return sum
}

/** Returns the number of files in `/tmp` of a wall, as its outermost process has it: that is the launcher's own, which code in the wall cannot hide. */
export function countFiles(pid: number): number {
  const directory = `/proc/${pid}/root/tmp`
  try {
    // A process that is not in the wall has the root directory of the host.
    if (statSync(directory).dev !== statSync('/tmp', { throwIfNoEntry: false })?.dev) {
      const { files, ffree } = statfsSync(directory)
      return files - ffree
    }
  } catch {
    // It has exited, or is of another user.
  }
  return Math.max(0, ...getChildren(pid).map(countFiles))
}

/** Returns `undefined` if the process has exited. Synchronous, because reading /proc takes some microseconds. */
function readUsage(pid: number): Usage | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1')
    const [resident, pageTables] = [/^VmRSS:\s+(\d+) kB$/m, /^VmPTE:\s+(\d+) kB$/m].map(line => line.exec(status))
    const threads = /^Threads:\s+(\d+)$/m.exec(status)
    const cpu = readCpu(`/proc/${pid}/stat`)
    if (cpu === undefined) return undefined
    return {
      memory: (Number(resident?.[1] ?? 0) + Number(pageTables?.[1] ?? 0)) * 1024,
      cpu,
      pids: Number(threads?.[1] ?? 0),
    }
  } catch {
    return undefined
  }
}

const readCpu = (file: string): number | undefined => readStat(file)?.cpu

/** @returns milliseconds of CPU time, and the letter of the state: `S` for one that sleeps, `T` for one that is stopped */
function readStat(file: string): { cpu: number; state: string } | undefined {
  try {
    // The name of the program is in parentheses and can contain anything.
    const stat = readFileSync(file, 'latin1')
    const [state = '', ...numbers] = stat.slice(stat.lastIndexOf(') ') + 2).split(' ')
    return { cpu: ((Number(numbers[10]) + Number(numbers[11])) * 1000) / TICKS_PER_SECOND, state }
  } catch {
    return undefined
  }
}

function orNone<T>(read: () => T[]): T[] {
  try {
    return read()
  } catch {
    return []
  }
}

/** Returns the ids of the processes that a process has started and not waited for. */
export const getChildren = (pid: number): number[] => getThreads(pid).flatMap(thread => getChildrenOf(pid, thread))

const getThreads = (pid: number): string[] => orNone(() => readdirSync(`/proc/${pid}/task`))

const getChildrenOf = (pid: number, thread: string): number[] =>
  orNone(() => readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1').split(' '))
    .filter(Boolean)
    .map(Number)
