// Programs of the system, Node's own files, and the shell in front of both launchers.
import { accessSync, constants, existsSync, realpathSync } from 'node:fs'
import { basename, delimiter, dirname, isAbsolute, join } from 'node:path'
import { NICENESS } from './launcher.js'

/** Returns the path of a program, or `undefined` if it is not installed. */
export function findProgram(name: string): string | undefined {
  if (isAbsolute(name)) return isExecutable(name) ? name : undefined
  const directories = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/bin', '/usr/bin', '/bin']
  return directories
    .filter(isAbsolute)
    .map(directory => join(directory, name))
    .find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
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

export interface ShellOptions {
  /** Files of cgroups that the shell writes itself to. */
  readonly joins: readonly string[]
  /** MiB; only without a cgroup. */
  readonly memory: number | undefined
  /** Allows files, of any size. */
  readonly writesFiles: boolean
}

/** Returns the arguments of `/bin/sh` that set the kernel's limits of a process, and replace the shell with a command. */
export function getShellArgs(
  { joins, memory, writesFiles }: ShellOptions,
  command: string,
  args: readonly string[],
): readonly string[] {
  const nice = findProgram('nice')
  const steps = [
    ...joins.map((_, index) => `echo 0 > "$${index + 1}"`),
    ...(joins.length > 0 ? [`shift ${joins.length}`] : []),
    'ulimit -c 0',
    ...(writesFiles ? [] : ['ulimit -f 0']),
    // Private writable memory. Addresses that are only reserved do not count, of which V8 has many.
    ...(memory === undefined ? [] : [`ulimit -d ${Math.ceil((memory + RESERVE_MB) * 1024)}`]),
    'exec "$@"',
  ]
  const started = nice === undefined ? [command] : [nice, '-n', String(NICENESS), command]
  return ['-c', steps.join(' && '), 'sallyport', ...joins, ...started, ...args]
}
