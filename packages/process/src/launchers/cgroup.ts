// Cgroups of version 1 and 2: the kernel's limits for all processes of one frontend. Made only if the host may make one: by root,
// or with version 2 below a cgroup that systemd has delegated (Delegate=yes with DelegateSubgroup=).
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pause } from '@sallyport/protocol/internal/contract'

export interface CgroupLimits {
  /** MiB. */
  memory?: number | undefined
  /** CPU cores: the kernel stops the processes for the rest of each 100 ms. */
  cpus?: number | undefined
  /** Processes and threads. */
  pids?: number | undefined
}

export interface Cgroup {
  /** One, or with version 1 one for each kind of limit. */
  readonly directories: readonly string[]
  /** Files to which a process writes 0 to join. */
  readonly joins: readonly string[]
}

const PERIOD_US = 100_000
const MIB: number = 2 ** 20
const ROOT = '/sys/fs/cgroup'
const REMOVE_ATTEMPTS = 50
const REMOVE_INTERVAL_MS = 20

/**
 * Returns `undefined` if there is nothing to limit, or this process may not make a cgroup.
 *
 * @param ownCgroups - content of /proc/self/cgroup
 */
export function createCgroup(
  limits: CgroupLimits,
  root: string = ROOT,
  ownCgroups: string = readOptional('/proc/self/cgroup'),
): Cgroup | undefined {
  const { memory, cpus, pids } = limits
  if ((memory ?? cpus ?? pids) === undefined) return undefined
  // Other threads of this process can have hosts of their own.
  const name = `sallyport-${process.pid}-${Math.random().toString(36).slice(2)}`
  const isUnified = existsSync(join(root, 'cgroup.controllers'))
  const directories: string[] = []
  try {
    if (isUnified) directories.push(createUnified(name, limits, root, ownCgroups))
    else createSeparate(name, limits, root, ownCgroups, directories)
  } catch {
    for (const directory of directories) removeCgroup(directory)
    return undefined
  }
  return { directories, joins: directories.map(directory => join(directory, 'cgroup.procs')) }
}

/** Version 1: a hierarchy for each controller. */
function createSeparate(
  name: string,
  { memory, cpus, pids }: CgroupLimits,
  root: string,
  ownCgroups: string,
  directories: string[],
): void {
  const create = (controller: string, settings: Record<string, number>): void => {
    const path = ownCgroups.split('\n').find(line => line.split(':')[1]?.split(',').includes(controller))
    const nested = join(root, controller, path?.split(':')[2] ?? '')
    // In a container the path can be that of the machine.
    const parent = existsSync(nested) ? nested : join(root, controller)
    const directory = createDirectory(parent, name)
    directories.push(directory)
    for (const [file, value] of Object.entries(settings)) writeFileSync(join(directory, file), String(value))
  }
  if (memory !== undefined) {
    create('memory', { 'memory.limit_in_bytes': Math.ceil(memory * MIB) })
    writeOptional(join(directories.at(-1)!, 'memory.swappiness'), '0')
  }
  if (pids !== undefined) create('pids', { 'pids.max': pids })
  if (cpus !== undefined) {
    create('cpu', { 'cpu.cfs_period_us': PERIOD_US, 'cpu.cfs_quota_us': Math.round(cpus * PERIOD_US) })
  }
}

/** Version 2: a cgroup with processes has no children with limits, so the new one is next to that of the host, or below an empty one. */
function createUnified(name: string, { memory, cpus, pids }: CgroupLimits, root: string, ownCgroups: string): string {
  const path = /^0::(.*)$/m.exec(ownCgroups)?.[1] ?? '/'
  const parents = [join(root, path), ...(path === '/' ? [] : [join(root, path, '..')])]
  const controllers = [memory !== undefined && 'memory', cpus !== undefined && 'cpu', pids !== undefined && 'pids']
  const parent = parents.find(each =>
    enable(
      each,
      controllers.filter(controller => controller !== false),
    ),
  )
  if (parent === undefined) throw new Error('This process may not make a cgroup')
  const directory = createDirectory(parent, name)
  const set = (file: string, value: string): void => writeFileSync(join(directory, file), value)
  try {
    if (memory !== undefined) {
      set('memory.max', String(Math.ceil(memory * MIB)))
      writeOptional(join(directory, 'memory.swap.max'), '0')
      writeOptional(join(directory, 'memory.oom.group'), '1')
    }
    if (pids !== undefined) set('pids.max', String(pids))
    if (cpus !== undefined) set('cpu.max', `${Math.round(cpus * PERIOD_US)} ${PERIOD_US}`)
    return directory
  } catch (error) {
    removeCgroup(directory)
    throw error
  }
}

function enable(directory: string, controllers: readonly string[]): boolean {
  try {
    const file = join(directory, 'cgroup.subtree_control')
    const enabled = readFileSync(file, 'latin1').trim().split(' ')
    const missing = controllers.filter(controller => !enabled.includes(controller))
    if (missing.length > 0) writeFileSync(file, missing.map(controller => `+${controller}`).join(' '))
    return true
  } catch {
    return false
  }
}

function createDirectory(parent: string, name: string): string {
  removeAbandoned(parent)
  const directory = join(parent, name)
  mkdirSync(directory)
  return directory
}

/** Not on every kernel. */
function writeOptional(file: string, value: string): void {
  try {
    writeFileSync(file, value)
  } catch {
    // The limit holds without it, but for swap.
  }
}

const swept = new Set<string>()

/** Removes the cgroups that hosts left behind when they were killed. */
function removeAbandoned(parent: string): void {
  if (swept.has(parent)) return
  swept.add(parent)
  for (const name of readdirSync(parent)) {
    const pid = /^sallyport-(\d+)-\w+$/.exec(name)?.[1]
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) removeCgroup(join(parent, name))
  }
}

/** Returns false while a process is in the cgroup. */
export function removeCgroup(directory: string): boolean {
  try {
    rmdirSync(directory)
    return true
  } catch {
    return !existsSync(directory)
  }
}

/** The kernel removes a cgroup only once it has released the last process, a few milliseconds after its exit. */
export async function removeCgroups(directories: readonly string[] = []): Promise<void> {
  for (let attempt = 0; attempt < REMOVE_ATTEMPTS; attempt++) {
    if (directories.map(removeCgroup).every(Boolean)) return
    await pause(REMOVE_INTERVAL_MS)
  }
}

/** A limit that the kernel has enforced. */
export interface ReachedLimit {
  limit: 'memory' | 'pids'
  /** MiB, or processes and threads. */
  max: number
}

/** Returns the limit at which the kernel has ended a process of a cgroup, or refused to start one. */
export function readReachedLimit(directories: readonly string[]): ReachedLimit | undefined {
  for (const directory of directories) {
    const read = (name: string): string => readOptional(join(directory, name))
    const kills = /^oom_kill (\d+)$/m.exec(read('memory.events') || read('memory.oom_control'))
    if (Number(kills?.[1] ?? 0) > 0) {
      return { limit: 'memory', max: Math.round(Number(read('memory.max') || read('memory.limit_in_bytes')) / MIB) }
    }
    const refusals = /^max (\d+)$/m.exec(read('pids.events'))
    if (Number(refusals?.[1] ?? 0) > 0) return { limit: 'pids', max: Number(read('pids.max')) }
  }
  return undefined
}

/** Returns the empty string for a file that cannot be read. */
export function readOptional(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return ''
  }
}
