// The entry `@sallyport/process/internal/doctor`: what works on this machine, why the rest does not, and what helps.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { toPlainText } from '@sallyport/protocol/internal/util'
import { kernelWalls, type Launcher, LauncherUnavailable } from './launchers/launcher.js'
import { getNamespaceArgs, getProcArgs } from './launchers/bubblewrap.js'
import { type CgroupLimits, createCgroup, readOptional, removeCgroup } from './launchers/cgroup.js'
import { explainOpenNet } from './launchers/find-wall.js'
import { findProgram } from './launchers/programs.js'
import { type LauncherKind, LAUNCHERS } from './launchers/table.js'
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
  const walls: WallReport[] = []
  const working: WorkingWall[] = []
  for (const kind of LAUNCHERS) {
    const [launcher, report] = await tryWall(kind)
    walls.push(report)
    if (launcher) working.push({ ...kind, launcher })
  }
  const [programs, programsReport] = await tryWall({
    ...{ name: 'startProgram', about: 'held by the kernel', program: () => 'bwrap', create: findProgramWall },
  })
  const strongest = working.find(({ isAutomatic }) => isAutomatic)
  // Each of these holds hostile code.
  const ready = working.find(({ weakness }) => weakness === undefined)
  const recommended = ready?.isAutomatic === false ? toSandbox(ready) : RECOMMENDED
  const weak = ready ? undefined : strongest
  // What can be installed or allowed, and what reads the mounts.
  const bubblewrap = walls[0]!
  const isInstalled = bubblewrap.program !== undefined
  const mounts = bubblewrap.works ? measureMounts() : undefined
  const place = isInstalled && !bubblewrap.works ? findPlace() : undefined
  const remedy = place?.command ?? (isInstalled ? DESKTOP : getInstallation())
  return {
    node: {
      version: process.version,
      platform: `${process.platform} ${process.arch}`,
      closesNetwork: CAN_DENY_NET,
    },
    walls: [...walls, programsReport],
    ...(mounts && { mounts }),
    ...(strongest && { limits: listLimits(strongest.launcher) }),
    sandboxes: listSandboxes(working, programs !== undefined),
    isReady: ready !== undefined,
    recommended,
    ...(weak && { remark: `but ${toSandbox(weak)} does, which ${weak.weakness}` }),
    advice: ready ? `sandbox: ${recommended}` : remedy,
    ...(place && { place }),
  }
}

function listLimits(launcher: Launcher): NonNullable<Diagnosis['limits']> {
  // Deno joins no cgroup.
  const enforce = (limits: CgroupLimits, otherwise: 'checks' | 'none'): Enforcement =>
    kernelWalls.has(launcher) && hasCgroup(limits) ? 'cgroup' : otherwise
  const checks = existsSync('/proc/self/stat') ? 'checks' : 'none'
  return {
    memory: enforce({ memory: 256 }, checks),
    pids: enforce({ pids: 64 }, checks),
    // It is no check that pauses a process.
    cpus: enforce({ cpus: 1 }, 'none'),
    tmp: launcher.holds?.includes('tmp') ? 'mount' : 'none',
    // Quotas of directories belong to projects of a file system, which only root can make.
    write: launcher.bindsWrites ? 'disk' : 'none',
  }
}

/** Of systems without such a wall. */
const DESKTOP = process.platform === 'win32' ? 'npm install deno' : 'Start Docker, and pull the image of this Node.js'
const MANAGERS = { 'apt-get': 'install', dnf: 'install', apk: 'add', pacman: '-S', zypper: 'install' }

/** Returns the command that installs the strongest wall of this system. */
function getInstallation(): string {
  if (process.platform !== 'linux') return DESKTOP
  const [name, verb] = Object.entries(MANAGERS).find(([each]) => findProgram(each)) ?? ['apt-get', 'install']
  return `${name} ${verb} bubblewrap`
}

type Attempt<T> = Pick<LauncherKind, 'name' | 'about' | 'program'> & { readonly create: () => Promise<T> }

async function tryWall<T>({ name, about, program, create }: Attempt<T>): Promise<[wall: T | undefined, WallReport]> {
  const sought = program()
  const path = sought === undefined ? undefined : findProgram(sought)
  const installed = { ...(path !== undefined && { program: `${path} (${getVersion(path)})` }), about }
  try {
    return [await create(), { name, works: true, ...installed }]
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

function hasCgroup(limits: CgroupLimits): boolean {
  const cgroup = createCgroup(limits)
  cgroup?.directories.map(removeCgroup)
  return cgroup !== undefined
}

/** For code that its user has not read. */
export const RECOMMENDED = "{ kind: 'process', wall: 'required' }"
/** Of a wall that is never taken for it. */
const toSandbox = ({ call }: Pick<LauncherKind, 'call'>): string => `{ kind: 'process', wall: ${call} }`

export interface SandboxReport {
  readonly sandbox: string
  /** Where its code runs here, or `does not start`. */
  readonly runs: string
  readonly network: 'closed' | 'open' | '-'
  /** Whether it holds hostile code: the guide's table "What hostile code can do" has the details. */
  readonly holds: 'yes' | 'unless an engine has a fault' | 'no' | '-'
}

export type WorkingWall = Pick<LauncherKind, 'call' | 'isAutomatic' | 'weakness'> & { readonly launcher: Launcher }

/** @param working - the walls that work, the strongest first */
export function listSandboxes(working: readonly WorkingWall[], hasProgramWall: boolean): SandboxReport[] {
  const inThread = 'in a thread of the host'
  const strongest = working.find(({ isAutomatic }) => isAutomatic)
  const required = strongest?.weakness === undefined ? strongest : undefined
  const named = working.filter(wall => !wall.isAutomatic || (!required && wall === strongest))
  const walled = (sandbox: string, wall: WorkingWall | undefined, isPossible = wall !== undefined): SandboxReport => {
    if (!isPossible) return { sandbox, runs: 'does not start', network: '-', holds: '-' }
    const runs = wall ? `in a process in ${wall.launcher.name}` : 'in a process'
    return { sandbox, runs, network: 'closed', holds: wall?.weakness === undefined ? 'yes' : 'no' }
  }
  const network = explainOpenNet(undefined) === undefined ? 'closed' : 'open'
  return [
    walled(RECOMMENDED, required),
    ...named.map(wall => walled(toSandbox(wall), wall)),
    walled("{ kind: 'quickjs', process: true, wall: 'required' }", required),
    strongest
      ? walled("'process'", strongest)
      : { sandbox: "'process'", runs: 'in a process without a wall', network, holds: 'no' },
    { sandbox: "'quickjs'", runs: inThread, network: 'closed', holds: 'unless an engine has a fault' },
    { sandbox: "'permission'", runs: inThread, network: CAN_DENY_NET ? 'closed' : 'open', holds: 'no' },
    { sandbox: "'none'", runs: inThread, network: 'open', holds: 'no' },
    walled('startProgram', required, hasProgramWall),
  ]
}

/** A place whose defaults deny namespaces. */
export interface Place {
  /** Heading of the section in the page "Deploying" of the guide. */
  readonly name: string
  /** What the user runs there. The guide has narrower profiles. */
  readonly command: string
}

const UNCONFINED = '{"type":"Unconfined"}'
const CONTAINER = `{"name":"NAME","securityContext":{"seccompProfile":${UNCONFINED},"appArmorProfile":${UNCONFINED}}}`

/** The innermost first: a pod is also a container. */
const PLACES: readonly (Place & { isHere(root: string, env: NodeJS.ProcessEnv): boolean })[] = [
  {
    name: 'Kubernetes',
    command: `kubectl patch deployment NAME --patch '{"spec":{"template":{"spec":{"containers":[${CONTAINER}]}}}}'`,
    isHere: (_root, env) => env['KUBERNETES_SERVICE_HOST'] !== undefined,
  },
  {
    name: 'Podman',
    command: 'podman run --security-opt seccomp=unconfined …',
    isHere: root => existsSync(join(root, 'run/.containerenv')),
  },
  {
    name: 'Docker',
    command: 'docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined …',
    isHere: root => existsSync(join(root, '.dockerenv')),
  },
  {
    name: 'Ubuntu',
    command:
      "printf 'abi <abi/4.0>,\\ninclude <tunables/global>\\nprofile bwrap /usr/bin/bwrap flags=(unconfined) { userns, }\\n' | " +
      'sudo tee /etc/apparmor.d/bwrap && sudo apparmor_parser -r /etc/apparmor.d/bwrap',
    isHere: root => readOptional(join(root, 'proc/sys/kernel/apparmor_restrict_unprivileged_userns')).trim() === '1',
  },
]

/** @param root - the directory that is `/` */
export const findPlace = (root = '/', env: NodeJS.ProcessEnv = process.env): Place | undefined =>
  PLACES.find(({ isHere }) => isHere(root, env))
