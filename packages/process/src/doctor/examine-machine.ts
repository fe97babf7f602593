// What the sandboxes can do on this machine. Each answer is that of the code that a host would run.
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { type Attempt, makeAttempt } from '../launchers/attempt.js'
import { tryBubblewrap } from '../launchers/bubblewrap.js'
import { type CgroupLimits, createCgroup, removeCgroup } from '../launchers/cgroup.js'
import { tryLandlock } from '../launchers/landlock.js'
import { type Launcher, LauncherUnavailable } from '../launchers/launcher.js'
import { findProgram } from '../launchers/programs.js'
import { findProgramWall } from '../programs/program-wall.js'
import { listSandboxes, type SandboxReport } from './list-sandboxes.js'
import { CAN_DENY_NET } from '../permission-model/net.js'
import { findPlace, type Place } from './find-place.js'

export interface WallReport {
  readonly name: string
  readonly works: boolean
  /** Path and version of its program, if it is installed. */
  readonly program?: string
  /** Why it does not work, with the remedy. */
  readonly reason?: string
}

/** `mount` is the size of a file system in memory, `disk` that of the file system of a directory. */
type Enforcement = 'cgroup' | 'checks' | 'mount' | 'disk' | 'none'

export interface Diagnosis {
  readonly node: { readonly version: string; readonly platform: string; readonly closesNetwork: boolean }
  readonly walls: readonly WallReport[]
  /** What enforces each limit of a process in a wall. */
  readonly limits: Readonly<Record<keyof CgroupLimits | 'tmp' | 'write', Enforcement>>
  readonly sandboxes: readonly SandboxReport[]
  /** True if the sandbox for third-party code works. */
  readonly isReady: boolean
  /** The place that keeps bubblewrap from working. */
  readonly place?: Place
}

export async function examineMachine(): Promise<Diagnosis> {
  const [bubblewrap, bubblewrapReport] = await tryWall('bubblewrap', 'bwrap', makeAttemptOf(tryBubblewrap))
  const [landlock, landlockReport] = await tryWall('landlock', 'setpriv', makeAttemptOf(tryLandlock))
  const [programs, programsReport] = await tryWall('startProgram', 'bwrap', findProgramWall)
  const launcher = bubblewrap ?? landlock
  const place = bubblewrap || bubblewrapReport.program === undefined ? undefined : findPlace()
  return {
    node: {
      version: process.version,
      platform: `${process.platform} ${process.arch}`,
      closesNetwork: CAN_DENY_NET,
    },
    walls: [bubblewrapReport, landlockReport, programsReport],
    limits: {
      memory: getEnforcement({ memory: 256 }),
      pids: getEnforcement({ pids: 64 }),
      // It is no check that pauses a process.
      cpus: getEnforcement({ cpus: 1 }, 'none'),
      tmp: launcher?.limitsTmp ? 'mount' : 'none',
      // Quotas of directories belong to projects of a file system, which only root can make.
      write: 'disk',
    },
    sandboxes: listSandboxes(launcher, programs !== undefined),
    isReady: launcher !== undefined,
    ...(place && { place }),
  }
}

const makeAttemptOf = (create: () => Attempt) => (): Promise<Launcher> => makeAttempt(create())

async function tryWall<T>(
  name: string,
  program: string,
  attempt: () => Promise<T>,
): Promise<[wall: T | undefined, WallReport]> {
  const path = findProgram(program)
  const installed = path === undefined ? {} : { program: `${path} (${getVersion(path)})` }
  try {
    return [await attempt(), { name, works: true, ...installed }]
  } catch (error) {
    if (!(error instanceof LauncherUnavailable)) throw error
    return [undefined, { name, works: false, ...installed, reason: error.message }]
  }
}

function getVersion(path: string): string {
  try {
    return execFileSync(path, ['--version'], { encoding: 'utf8', timeout: 10_000 }).trim()
  } catch {
    return 'unknown version'
  }
}

function getEnforcement(
  limits: CgroupLimits,
  otherwise: 'checks' | 'none' = existsSync('/proc/self/stat') ? 'checks' : 'none',
): 'cgroup' | 'checks' | 'none' {
  const cgroup = createCgroup(limits)
  cgroup?.directories.map(removeCgroup)
  return cgroup ? 'cgroup' : otherwise
}
