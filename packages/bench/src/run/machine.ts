// This machine: its CPU time, the memory and CPU time of a process with its descendants from Linux's /proc, and the packages that a run measures.
import { type PackageInfo, readPackage } from '#measure/machine'
import { group, sum } from 'd3-array'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { cpus } from 'node:os'

type CpuTimes = { total: number; busy: number }

export function readCpuTimes(since: CpuTimes = { total: 0, busy: 0 }): CpuTimes {
  const times = cpus().map(cpu => cpu.times)
  const total = sum(times.flatMap(each => Object.values(each)))
  return { total: total - since.total, busy: total - sum(times, ({ idle }) => idle) - since.busy }
}

/** @param directory - of this package, or the name of a dependency */
export const readPackageInfo = (directory = '../..'): PackageInfo => readPackage(import.meta.url, directory)

export const lacksProcessTree = (): string | undefined =>
  ['smaps_rollup', 'schedstat'].every(file => existsSync(`/proc/self/${file}`))
    ? undefined
    : '/proc/<pid>/smaps_rollup or /proc/<pid>/schedstat does not exist'

/**
 * Returns the proportional set size of a process with its descendants in bytes: memory that they share counts once.
 *
 * @throws Error if the user may not read a process of the tree
 */
export const readTreeMemory = (root: number = process.pid): number => sum(findDescendants(root), readPss)

/**
 * Returns a function for the CPU time of this process and its descendants since now, in µs. Without `/proc`, descendants do not
 * count. A descendant's thread that exits does not count at all.
 */
export function startTreeCpuClock(): () => number {
  const readOthers = (): Map<string, number> =>
    readThreads(lacksProcessTree() === undefined ? findDescendants(process.pid).slice(1) : [])
  const [othersBefore, before] = [readOthers(), process.cpuUsage()]
  return () => {
    // This process is read first, because reading the others takes CPU time.
    const { user, system } = process.cpuUsage(before)
    return user + system + sum(readOthers(), ([thread, time]) => time - (othersBefore.get(thread) ?? 0))
  }
}

function findDescendants(root: number): number[] {
  const children = group(readdirSync('/proc').map(Number).filter(Number.isInteger), readParent)
  const found = [root]
  for (const pid of found) found.push(...(children.get(pid) ?? []))
  return found
}

/** The name of the program comes before the parent's id, in parentheses, and can contain spaces and parentheses. */
function readParent(pid: number): number | undefined {
  const [, parent] = /.*\) \S (\d+)/s.exec(readUnlessGone(`/proc/${pid}/stat`)) ?? []
  return parent === undefined ? undefined : Number(parent)
}

/** A zombie has no memory. */
function readPss(pid: number): number {
  const [, kibibytes = 0] = /^Pss:\s+(\d+) kB$/m.exec(readUnlessGone(`/proc/${pid}/smaps_rollup`)) ?? []
  return Number(kibibytes) * 1024
}

/**
 * Returns the CPU time of each running thread, in µs. `/proc/<pid>/stat` counts in steps of 10 ms, which is too coarse for the start of one
 * process.
 */
const readThreads = (pids: readonly number[]): Map<string, number> =>
  new Map(
    pids.flatMap(pid =>
      unlessGone(() => readdirSync(`/proc/${pid}/task`), []).flatMap(thread => {
        const [time] = readUnlessGone(`/proc/${pid}/task/${thread}/schedstat`).split(' ')
        return time ? [[thread, Number(time) / 1e3] as const] : []
      }),
    ),
  )

const readUnlessGone = (path: string): string => unlessGone(() => readFileSync(path, 'utf8'), '')

function unlessGone<T>(read: () => T, otherwise: T): T {
  try {
    return read()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ESRCH') return otherwise
    throw error
  }
}

export const workerUrl = (name: string): URL => new URL(import.meta.resolve(`#dist/workers/${name}`))
