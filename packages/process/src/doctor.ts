// The entry `@sallyport/process/internal/doctor`: what works on this machine, why the rest does not, and what helps.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { toPlainText } from '@sallyport/protocol/internal/util'
import { type Launcher, LauncherUnavailable } from './launchers/launcher.js'
import { bubblewrap as tryBubblewrap, getNamespaceArgs, getProcArgs } from './launchers/bubblewrap.js'
import { type CgroupLimits, createCgroup, readOptional, removeCgroup } from './launchers/cgroup.js'
import { denoOfApplication, findDependency } from './launchers/deno.js'
import { docker as tryDocker } from './launchers/docker.js'
import { landlock as tryLandlock } from './launchers/landlock.js'
import { findProgram } from './launchers/programs.js'
import { explainOpenNet } from './launchers/find-wall.js'
import { CAN_DENY_NET } from './permission-model/module-code.js'
import { findProgramWall } from './programs/program-wall.js'

export interface WallReport {
  readonly name: string
  readonly works: boolean
  readonly program?: string
  readonly reason?: string
  /** What holds code in it, and what each process costs. */
  readonly about: string
}

/** `mount` is the size of a file system in memory, `disk` that of the file system of a directory. */
type Enforcement = 'cgroup' | 'checks' | 'mount' | 'disk' | 'none'

export interface Diagnosis {
  readonly node: { readonly version: string; readonly platform: string; readonly closesNetwork: boolean }
  readonly walls: readonly WallReport[]
  /** Mounts of this host, and the milliseconds of a start in bubblewrap with them. Absent without bubblewrap. */
  readonly mounts?: { readonly count: number; readonly startMs: number }
  /** Of `recommended`. Absent without it, and with that of Docker, whose container has all of them. */
  readonly limits?: Readonly<Record<keyof CgroupLimits | 'tmp' | 'write', Enforcement>>
  readonly sandboxes: readonly SandboxReport[]
  /** True if a sandbox for third-party code works. */
  readonly isReady: boolean
  /** That sandbox, or the one that is missing. */
  readonly recommended: string
  /** What holds it, if something else is stronger. */
  readonly remark?: string
  /** The line to copy: an option of a frontend if that works, else a command that helps. */
  readonly advice: string
  readonly place?: Place
}

export async function examineMachine(): Promise<Diagnosis> {
  const [bubblewrap, bubblewrapReport] = await tryWall('bubblewrap', 'bwrap', tryBubblewrap)
  const [landlock, landlockReport] = await tryWall('landlock', 'setpriv', tryLandlock)
  const [programs, programsReport] = await tryWall('startProgram', 'bwrap', findProgramWall)
  const [deno, denoReport] = await tryWall('deno', findDependency(), denoOfApplication)
  const [docker, dockerReport] = await tryWall('docker', 'docker', tryDocker)
  const wall = bubblewrap ?? landlock
  const launcher = wall ?? deno
  const recommended = !wall && docker ? IN_DOCKER : RECOMMENDED
  const isReady = (wall ?? docker) !== undefined
  const mounts = bubblewrap && measureMounts()
  const place = bubblewrap || bubblewrapReport.program === undefined ? undefined : findPlace()
  const installation = bubblewrapReport.program === undefined ? getInstallation() : undefined
  return {
    node: {
      version: process.version,
      platform: `${process.platform} ${process.arch}`,
      closesNetwork: CAN_DENY_NET,
    },
    walls: [bubblewrapReport, landlockReport, denoReport, dockerReport, programsReport],
    ...(mounts && { mounts }),
    ...(launcher && { limits: listLimits(launcher) }),
    sandboxes: listSandboxes(launcher, wall, programs !== undefined, docker),
    isReady,
    recommended,
    ...(!isReady && deno && { remark: `but ${IN_DENO} does, which reads packages of all projects` }),
    advice: isReady ? `sandbox: ${recommended}` : (place?.command ?? installation ?? DESKTOP),
    ...(place && { place }),
  }
}

const listLimits = (launcher: Launcher): NonNullable<Diagnosis['limits']> => ({
  // Deno joins no cgroup.
  memory: getEnforcement(launcher.name === 'deno' ? {} : { memory: 256 }),
  pids: getEnforcement(launcher.name === 'deno' ? {} : { pids: 64 }),
  // It is no check that pauses a process.
  cpus: launcher.name === 'deno' ? 'none' : getEnforcement({ cpus: 1 }, 'none'),
  tmp: launcher.holds?.includes('tmp') ? 'mount' : 'none',
  // Quotas of directories belong to projects of a file system, which only root can make.
  write: launcher.bindsWrites ? 'disk' : 'none',
})

/** Package managers, the most common one first. */
const MANAGERS = { 'apt-get': 'install', dnf: 'install', apk: 'add', pacman: '-S', zypper: 'install' }

/** Returns the command that installs the strongest wall of this system, if it has one. */
function getInstallation(): string | undefined {
  if (process.platform !== 'linux') return undefined
  const [name, verb] = Object.entries(MANAGERS).find(([name]) => findProgram(name)) ?? Object.entries(MANAGERS)[0]!
  return `${name} ${verb} bubblewrap`
}

/** Of systems without such a wall. */
const DESKTOP = process.platform === 'win32' ? 'npm install deno' : 'Start Docker, and pull the image of this Node.js'

const BY_KERNEL = 'held by the kernel, some 40 MiB each'
const ABOUT = {
  bubblewrap: BY_KERNEL,
  landlock: BY_KERNEL,
  deno: 'checks in the process, not of packages, some 80 MiB each',
  docker: 'held by the kernel, only as wall: await docker()',
  startProgram: 'held by the kernel',
} as const

async function tryWall<T>(
  name: keyof typeof ABOUT,
  program: string | undefined,
  attempt: () => Promise<T>,
): Promise<[wall: T | undefined, WallReport]> {
  const path = program === undefined ? undefined : findProgram(program)
  const installed = { ...(path !== undefined && { program: `${path} (${getVersion(path)})` }), about: ABOUT[name] }
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
  return times.some(Number.isNaN)
    ? undefined
    : { count: readOptional('/proc/self/mountinfo').trim().split('\n').length, startMs }
}

function getVersion(path: string): string {
  try {
    const text = execFileSync(path, ['--version'], { encoding: 'utf8', timeout: PROGRAM_TIMEOUT_MS })
    return toPlainText(text).split('\n')[0]!
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
/** These are never taken for it. */
const IN_DENO = "{ kind: 'process', wall: await deno() }"
const IN_DOCKER = "{ kind: 'process', wall: await docker() }"

export interface SandboxReport {
  readonly sandbox: string
  /** Where its code runs here, or `does not start`. */
  readonly runs: string
  readonly network: 'closed' | 'open' | '-'
  /** Whether it holds hostile code: the guide's table "What hostile code can do" has the details. */
  readonly holds: 'yes' | 'unless an engine has a fault' | 'no' | '-'
}

/** @param launcher - the strongest one that works, if one does. @param wall - the same of the kernel's, which alone hold scripts */
export function listSandboxes(
  launcher: Launcher | undefined,
  wall: Launcher | undefined,
  hasProgramWall: boolean,
  docker?: Launcher,
): SandboxReport[] {
  const inThread = 'in a thread of the host'
  const deno = launcher === wall ? undefined : launcher
  const inWall = (found: Launcher | undefined): string => (found ? `in a process in ${found.name}` : 'in a process')
  const held = deno ? 'no' : 'yes'
  const walled = (sandbox: string, found: Launcher | undefined, isPossible = found !== undefined): SandboxReport => {
    if (!isPossible) return { sandbox, runs: 'does not start', network: '-', holds: '-' }
    return { sandbox, runs: inWall(found), network: 'closed', holds: found === launcher ? held : 'yes' }
  }
  return [
    walled(RECOMMENDED, wall),
    ...(deno ? [walled(IN_DENO, deno)] : []),
    ...(docker ? [walled(IN_DOCKER, docker)] : []),
    walled("{ kind: 'quickjs', process: true, wall: 'required' }", wall),
    {
      ...{ sandbox: "'process'", runs: launcher ? inWall(launcher) : 'in a process without a wall' },
      ...{ network: explainOpenNet(launcher) === undefined ? 'closed' : 'open', holds: launcher ? held : 'no' },
    },
    { sandbox: "'quickjs'", runs: inThread, network: 'closed', holds: 'unless an engine has a fault' },
    { sandbox: "'permission'", runs: inThread, network: CAN_DENY_NET ? 'closed' : 'open', holds: 'no' },
    { sandbox: "'none'", runs: inThread, network: 'open', holds: 'no' },
    walled('startProgram', wall, hasProgramWall),
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
    isHere: root => readOptional(join(root, 'proc/sys/kernel/apparmor_restrict_unprivileged_userns')).trim() === '1',
  },
]

/** @param root - the directory that is `/` */
export function findPlace(root = '/', env: NodeJS.ProcessEnv = process.env): Place | undefined {
  const found = PLACES.find(({ isHere }) => isHere(root, env))
  return found && { name: found.name, command: found.command, section: found.section }
}
