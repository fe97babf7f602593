// A launcher: it decides which command really starts the process of a frontend, such as a container around Node.
import { BusError } from '@sallyport/protocol/internal/errors'

/** Starts the process of a frontend in a wall: in a container, or with fewer rights. */
export interface Launcher {
  /** Name in `bus.frontends()`, `bus.stats()`, the inspector and the log. */
  readonly name: string
  /** True if a process has no network unless `info.net` is true. @default false */
  readonly closesNetwork?: boolean
  /** True if `/tmp` of the process has the size `info.limits.tmp`. @default false */
  readonly limitsTmp?: boolean
  /** True if a process can change the directories `info.writes`, and no others. Without it, the option `write` is refused. @default false */
  readonly bindsWrites?: boolean
  /** True if `launch` does not use `info.label`: a spare process can then be used for any frontend. @default false */
  readonly ignoresLabel?: boolean
  /**
   * Returns what to start in the place of `command` and `args`. It is called in the host before each start.
   *
   * @throws what rejects the start, such as a `LauncherUnavailable`
   */
  launch(command: string, args: readonly string[], info: LaunchInfo): Launch
}

/** The process that a launcher starts. */
export interface LaunchInfo {
  /** Label of the frontend. That of a spare process is the one whose options it was started with. */
  readonly label: string
  /** Files and directories that the process must be able to read: its modules, Sallyport's packages, and `read` of its sandbox. */
  readonly reads: { readonly directories: readonly string[]; readonly files: readonly string[] }
  /** Directories that the process can change, as real paths: `write` of its sandbox. */
  readonly writes: readonly string[]
  /** Descriptors that the process inherits, in addition to standard input, output and error. */
  readonly descriptors: readonly number[]
  /** True if the process may use the network. */
  readonly net: boolean
  /** Limits of its sandbox. */
  readonly limits: LaunchLimits
}

/** Limits that a launcher enforces as far as it can. Sallyport itself also checks `memory` and `pids` ten times a second. */
export interface LaunchLimits {
  /** Resident memory in MiB. */
  readonly memory?: number | undefined
  /** Number of processes and threads. */
  readonly pids?: number | undefined
  /** MiB of files in `/tmp`. */
  readonly tmp?: number | undefined
}

/** The command to start. Its environment is empty, so `command` needs an absolute path. */
export interface Launch {
  /** Absolute path of a program. */
  readonly command: string
  /** Its arguments. */
  readonly args: readonly string[]
  /** Content of a file that is open for reading at descriptor 5: a seccomp filter. */
  readonly filter?: Uint8Array | undefined
  /** Directories of the process's cgroups. They are removed after its exit. */
  readonly cgroups?: readonly string[] | undefined
  /** Limits in force, if they are not those of the sandbox. */
  readonly limits?: LaunchLimits
  /** Number of processes that the launcher itself adds. They do not count as `pids`. @default 0 */
  readonly processes?: number
  /** True if the kernel kills the process when the thread that has started it ends. Otherwise another process waits for that. */
  readonly endsWithParent?: boolean
  /** True if the command lowers its priority itself. Otherwise Sallyport does, right after the start. */
  readonly lowersPriority?: boolean
}

/** Added to the `nice` value of the host. While all cores are busy, a process at 0 gets three times the CPU time of a process at 5. */
export const NICENESS = 5

/** Descriptor of the file with `Launch.filter`. */
export const FILTER_DESCRIPTOR = 5

/** A launcher cannot hold a process on this machine. Its message has the remedy. Its `reason` is `InvalidParams`. */
export class LauncherUnavailable extends BusError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('InvalidParams', message, options)
  }
}

/** Returns the limits of the sandbox, and those of the launcher in place of missing ones. */
export const mergeLimits = (defaults: LaunchLimits, limits: LaunchLimits): LaunchLimits => ({
  memory: limits.memory ?? defaults.memory,
  pids: limits.pids ?? defaults.pids,
  tmp: limits.tmp ?? defaults.tmp,
})
