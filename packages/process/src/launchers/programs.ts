// Programs of the system, Node's own files, and the shell in front of both launchers.
import { accessSync, constants, existsSync, realpathSync, statSync } from 'node:fs'
import { basename, delimiter, dirname, isAbsolute, join, sep } from 'node:path'
import { getNodeEnvironment, getNodeProgram } from './node-program.js'
import { type CgroupLimits, createCgroup } from './cgroup.js'
import { type Launch, NICENESS } from './launcher.js'

/**
 * Returns PATH without directories of packages: npm puts `node_modules/.bin` before it, where each package can name a program `bwrap` or `nice`, which
 * would run outside of the wall.
 */
export const getSystemPath = (): string =>
  (process.env.PATH ?? '')
    .split(delimiter)
    .filter(directory => !directory.split(sep).includes('node_modules'))
    .join(delimiter)

/** Returns the path of a program, or `undefined` if it is not installed. @param path - the whole PATH for what the user has named */
export function findProgram(name: string, path: string = getSystemPath()): string | undefined {
  if (isAbsolute(name)) return isExecutable(name) ? name : undefined
  const directories = [...path.split(delimiter), '/usr/local/bin', '/usr/bin', '/bin']
  return directories
    .filter(isAbsolute)
    .map(directory => join(directory, name))
    .find(isExecutable)
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    // A directory can be entered, which is the same right.
    return statSync(path).isFile()
  } catch {
    return false
  }
}

interface Report {
  sharedObjects: readonly string[]
}

/** Returns the files that Node needs to start: its program, its libraries and their loader. */
export function getNodeFiles(): string[] {
  const { report } = process
  const { excludeNetwork } = report as { excludeNetwork?: boolean }
  // Otherwise the report looks up names of hosts.
  Object.assign(report, { excludeNetwork: true })
  const { sharedObjects } = report.getReport() as unknown as Report
  Object.assign(report, { excludeNetwork })
  // Debian's Node has some of its own modules in files.
  const { node_builtin_shareable_builtins: builtins = [] } = process.config.variables as {
    node_builtin_shareable_builtins?: readonly string[]
  }
  const libraries = sharedObjects.filter(path => isAbsolute(path) && !path.endsWith('.node') && existsSync(path))
  // Libraries are looked up by these names, some of which are links.
  const named = libraries.map(path => join(realpathSync(dirname(path)), basename(path)))
  return [...new Set([process.execPath, ...named, ...builtins.filter(path => isAbsolute(path) && existsSync(path))])]
}

/** A process without a cgroup can allocate this much more than its `memory`, in MiB, until the next check ends it. */
const RESERVE_MB = 256
/** Since V8 of Node 24, the range of addresses for compiled code is writable. Its size in MiB, for a Node that cannot be measured. */
const CODE_RANGE_MB = 512
const MEASURE_TIMEOUT_MS = 10_000

let unusedMb: number | undefined

/**
 * Returns how many MiB of writable memory Node reserves without using them: the kernel's limit counts them. Starts Node once in this
 * process, because the size depends on its version, its build and the architecture.
 */
function getUnusedMb(): number {
  if (unusedMb !== undefined) return unusedMb
  // Most hosts limit no memory: they need not load the module.
  const { spawnSync } = process.getBuiltinModule('node:child_process')
  const { stdout } = spawnSync(getNodeProgram(), ['-p', 'fs.readFileSync("/proc/self/status", "latin1")'], {
    encoding: 'utf8',
    env: getNodeEnvironment(),
    cwd: '/',
    timeout: MEASURE_TIMEOUT_MS,
  })
  const [data = NaN, resident = NaN] = ['VmData', 'RssAnon'].map(name =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(stdout)?.[1]),
  )
  unusedMb = Math.ceil((data - resident) / 1024) || CODE_RANGE_MB
  return unusedMb
}

export const INPUT_DESCRIPTOR = 6

export interface ShellOptions {
  readonly limits?: CgroupLimits
  /** True for Node: its `memory` has a limit also without a cgroup. */
  readonly limitsNode?: boolean
  /** Of the command itself, in addition to `pids`. */
  readonly processes?: number
  /** Allows files, of any size. */
  readonly writesFiles: boolean
  /** What the command reads at descriptor 6. */
  readonly input?: string
}

/** Returns the start of `/bin/sh`, which sets the kernel's limits of a process, and is replaced by a command of a wall. */
export function launchInShell(
  { limits = {}, limitsNode = false, processes = 0, writesFiles, input }: ShellOptions,
  command: readonly string[],
): Launch {
  const { memory, pids } = limits
  const cgroup = createCgroup({ ...limits, pids: pids === undefined ? undefined : pids + processes })
  const joins = cgroup?.joins ?? []
  const nice = findProgram('nice')
  const steps = [
    ...joins.map((_, index) => `echo 0 > "$${index + 1}"`),
    ...(joins.length > 0 ? [`shift ${joins.length}`] : []),
    'ulimit -c 0',
    // bwrap writes the input to a file: 1 is at least 512 bytes.
    ...(writesFiles ? [] : [`ulimit -f ${input === undefined ? 0 : 1}`]),
    // Private writable memory.
    ...(cgroup || !limitsNode || memory === undefined
      ? []
      : [`ulimit -d ${Math.ceil((memory + RESERVE_MB + getUnusedMb()) * 1024)}`]),
    'exec "$@"',
  ]
  // Before the limit of files: some shells keep the text in one.
  const redirection = input === undefined ? '' : `exec ${INPUT_DESCRIPTOR}<<'END'\n${input}\nEND\n`
  const started = nice === undefined ? command : [nice, '-n', String(NICENESS), ...command]
  return {
    command: '/bin/sh',
    args: ['-c', redirection + steps.join(' && '), 'sallyport', ...joins, ...started],
    cgroups: cgroup?.directories,
    processes,
    endsWithParent: true,
    lowersPriority: true,
  }
}
