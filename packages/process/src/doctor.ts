// The entry `@sallyport/process/internal/doctor`: what works on this machine, why the rest does not, and what helps.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Launcher, LauncherUnavailable } from './launchers/launcher.js'
import { bubblewrap as tryBubblewrap, getNamespaceArgs, getProcArgs } from './launchers/bubblewrap.js'
import { type CgroupLimits, createCgroup, removeCgroup } from './launchers/cgroup.js'
import { landlock as tryLandlock } from './launchers/landlock.js'
import { findProgram } from './launchers/programs.js'
import { isNetClosed } from './launchers/find-wall.js'
import { CAN_DENY_NET } from './permission-model/module-code.js'
import { findProgramWall } from './programs/program-wall.js'

export interface WallReport {
  readonly name: string
  readonly works: boolean
  readonly program?: string
  readonly reason?: string
}

/** `mount` is the size of a file system in memory, `disk` that of the file system of a directory. */
type Enforcement = 'cgroup' | 'checks' | 'mount' | 'disk' | 'none'

export interface Diagnosis {
  readonly node: { readonly version: string; readonly platform: string; readonly closesNetwork: boolean }
  readonly walls: readonly WallReport[]
  /** Mounts of this host, and the milliseconds of a start in bubblewrap with them. Absent without bubblewrap. */
  readonly mounts?: { readonly count: number; readonly startMs: number }
  readonly limits: Readonly<Record<keyof CgroupLimits | 'tmp' | 'write', Enforcement>>
  readonly sandboxes: readonly SandboxReport[]
  /** True if the sandbox for third-party code works. */
  readonly isReady: boolean
  readonly place?: Place
}

export async function examineMachine(): Promise<Diagnosis> {
  const [bubblewrap, bubblewrapReport] = await tryWall('bubblewrap', 'bwrap', tryBubblewrap)
  const [landlock, landlockReport] = await tryWall('landlock', 'setpriv', tryLandlock)
  const [programs, programsReport] = await tryWall('startProgram', 'bwrap', findProgramWall)
  const launcher = bubblewrap ?? landlock
  const mounts = bubblewrap && measureMounts()
  const place = bubblewrap || bubblewrapReport.program === undefined ? undefined : findPlace()
  return {
    node: {
      version: process.version,
      platform: `${process.platform} ${process.arch}`,
      closesNetwork: CAN_DENY_NET,
    },
    walls: [bubblewrapReport, landlockReport, programsReport],
    ...(mounts && { mounts }),
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

const PROGRAM_TIMEOUT_MS = 10_000
const STARTS = 9

/** Starts as a wall does: bubblewrap reads the list of mounts for each of its binds. */
function measureMounts(): Diagnosis['mounts'] {
  const args = [...getNamespaceArgs(false), '--ro-bind', '/', '/', ...getProcArgs(), '/bin/true']
  const times = Array.from({ length: STARTS }, () => {
    const start = performance.now()
    const { status } = spawnSync(findProgram('bwrap')!, args, { stdio: 'ignore', timeout: PROGRAM_TIMEOUT_MS })
    return status === 0 ? performance.now() - start : NaN
  })
  const startMs = Math.round(times.toSorted((a, b) => a - b)[STARTS >> 1]!)
  // Some containers refuse to mount /proc.
  return times.some(Number.isNaN) ? undefined : { count: readText('/proc/self/mountinfo').split('\n').length, startMs }
}

function getVersion(path: string): string {
  try {
    return execFileSync(path, ['--version'], { encoding: 'utf8', timeout: PROGRAM_TIMEOUT_MS }).trim()
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

/** For code that its user has not read. */
export const RECOMMENDED = "{ kind: 'process', wall: 'required' }"

export interface SandboxReport {
  readonly sandbox: string
  /** Where its code runs here, or `does not start`. */
  readonly runs: string
  readonly network: 'closed' | 'open'
  /** Whether it holds hostile code: the guide's table "What hostile code can do" has the details. */
  readonly holds: 'yes' | 'unless an engine has a fault' | 'no'
}

/** @param launcher - the strongest one that works, if one does */
export function listSandboxes(launcher: Launcher | undefined, hasProgramWall: boolean): SandboxReport[] {
  const inThread = 'in a thread of the host'
  const inWall = launcher ? `in a process in ${launcher.name}` : undefined
  const walled = (sandbox: string, isPossible = launcher !== undefined): SandboxReport => ({
    ...{ sandbox, runs: isPossible ? (inWall ?? 'in a process') : 'does not start' },
    ...{ network: 'closed', holds: isPossible ? 'yes' : 'no' },
  })
  return [
    walled(RECOMMENDED),
    walled("{ kind: 'quickjs', process: true, wall: 'required' }"),
    {
      ...{ sandbox: "'process'", runs: inWall ?? 'in a process without a wall' },
      ...{ network: isNetClosed(launcher) ? 'closed' : 'open', holds: launcher ? 'yes' : 'no' },
    },
    { sandbox: "'quickjs'", runs: inThread, network: 'closed', holds: 'unless an engine has a fault' },
    { sandbox: "'permission'", runs: inThread, network: CAN_DENY_NET ? 'closed' : 'open', holds: 'no' },
    { sandbox: "'none'", runs: inThread, network: 'open', holds: 'no' },
    walled('startProgram', hasProgramWall),
  ]
}

export type PlaceName = 'kubernetes' | 'podman' | 'docker' | 'ubuntu'

/** A place whose defaults deny namespaces. */
export interface Place {
  readonly name: PlaceName
  /** What the user runs there. The guide has narrower profiles. */
  readonly command: string
  /** Heading of the section in the page "Deploying" of the guide. */
  readonly section: string
}

const UNCONFINED = '{"type":"Unconfined"}'
const CONTAINER = `{"name":"NAME","securityContext":{"seccompProfile":${UNCONFINED},"appArmorProfile":${UNCONFINED}}}`

/** The innermost first: a pod is also a container. */
const PLACES: readonly (Place & { isHere(root: string, env: NodeJS.ProcessEnv): boolean })[] = [
  {
    name: 'kubernetes',
    section: 'Kubernetes',
    command: `kubectl patch deployment NAME --patch '{"spec":{"template":{"spec":{"containers":[${CONTAINER}]}}}}'`,
    isHere: (_root, env) => env['KUBERNETES_SERVICE_HOST'] !== undefined,
  },
  {
    name: 'podman',
    section: 'Podman',
    command: 'podman run --security-opt seccomp=unconfined …',
    isHere: root => existsSync(join(root, 'run/.containerenv')),
  },
  {
    name: 'docker',
    section: 'Docker',
    command: 'docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined …',
    isHere: root => existsSync(join(root, '.dockerenv')),
  },
  {
    name: 'ubuntu',
    section: 'Ubuntu',
    command:
      "printf 'abi <abi/4.0>,\\ninclude <tunables/global>\\nprofile bwrap /usr/bin/bwrap flags=(unconfined) { userns, }\\n' | " +
      'sudo tee /etc/apparmor.d/bwrap && sudo apparmor_parser -r /etc/apparmor.d/bwrap',
    isHere: root => readText(join(root, 'proc/sys/kernel/apparmor_restrict_unprivileged_userns')) === '1',
  },
]

/** @param root - the directory that is `/` */
export function findPlace(root = '/', env: NodeJS.ProcessEnv = process.env): Place | undefined {
  const found = PLACES.find(({ isHere }) => isHere(root, env))
  return found && { name: found.name, command: found.command, section: found.section }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return ''
  }
}
