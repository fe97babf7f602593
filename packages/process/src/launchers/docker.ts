// Docker, or Podman: a process in a container of its own. A daemon has it, so it is ended by name.
import { existsSync } from 'node:fs'
import { basename } from 'node:path'
import { checkOptions } from '@sallyport/protocol/internal/errors'
import { isWithin, KERNEL_DIRECTORIES } from '../permission-model/grants.js'
import { getNodeEnvironment } from './node-program.js'
import {
  CHECKS,
  type Launch,
  type Launcher,
  type LaunchInfo,
  toKernelWall,
  tryCommand,
  unavailable,
} from './launcher.js'
import { findProgram, getSystemPath } from './programs.js'

/** Options of `docker`. */
export interface DockerOptions {
  /**
   * An image that this machine has, with the version of Node.js of the host.
   *
   * @default node:<version>-slim
   */
  readonly image?: string
  /** Path or name of the program: `podman` works too. @default 'docker' */
  readonly docker?: string
  /** Further options of its `run`, such as `--userns=keep-id`. */
  readonly args?: readonly string[]
}

/** Of a container without the option `pids`: code that has left Node.js could start any number. Node.js has about 10 threads. */
const MAX_PIDS = 64
/** Where the client finds its daemon and its settings. */
const CLIENT_VARIABLE = /^(?:HOME|PATH|XDG_(?:RUNTIME_DIR|CONFIG_HOME|DATA_HOME)|DOCKER_\w+|CONTAINERS?_\w+)$/

/**
 * Starts processes in containers of Docker or Podman (Linux, macOS). The files are mounted at their own paths; there is no network unless `net` is
 * `true`, no capability, and nothing to write but `write` and `tmp`. `memory`, `cpu`, `pids` and `tmp` are limits of the container.
 *
 * @throws {LauncherUnavailable} if the program, its daemon or the image is missing, or the image has another Node.js
 * @throws {BusError} InvalidParams for an invalid option
 */
export async function docker(options: DockerOptions = {}): Promise<Launcher> {
  checkOptions('docker', options, { image: CHECKS.image, docker: CHECKS.program, args: CHECKS.args })
  const { image = `node:${process.version.slice(1)}-slim`, docker: program = 'docker', args: more = [] } = options
  // Without `.exe` or `.sh`, and with the version of `podman-4.9`.
  const name = basename(program).replace(/\.[a-z]+$/, '')
  if (process.platform === 'win32') {
    throw unavailable(name, 'a container has no paths of Windows, where the files would be', 'Use it on Linux or macOS')
  }
  const client = findProgram(program)
  if (client === undefined) throw unavailable(name, `${program} was not found`, 'Install Docker or Podman')
  const env = Object.fromEntries(
    Object.entries({ ...process.env, PATH: getSystemPath() }).filter((entry): entry is [string, string] =>
      CLIENT_VARIABLE.test(entry[0]),
    ),
  )
  const user = `${process.geteuid!()}:${process.getegid!()}`
  const createArgs = (options: readonly string[], nodeArgs: readonly string[]): string[] => [
    ...['run', '-i', '--rm', '--stop-timeout', '0', '--pull', 'never', '--read-only', '--cap-drop', 'ALL'],
    ...['--security-opt', 'no-new-privileges', '--user', user, '--workdir', '/tmp', '--entrypoint', 'node'],
    // The daemon would keep all frames in a file, and lend memory to write to.
    ...['--log-driver', 'none', '--ipc', 'none'],
    ...[...options, ...more, image, ...nodeArgs],
  ]
  await probe({ command: client, args: createArgs(['--network', 'none'], ['--version']), env }, name, image)
  return toKernelWall({
    name,
    closesNetwork: true,
    bindsWrites: true,
    isElsewhere: true,
    holds: ['memory', 'cpu', 'pids', 'tmp'],
    launch(_node, nodeArgs, info): Launch {
      // Other threads of this process can have hosts of their own.
      const container = `sallyport-${process.pid}-${Math.random().toString(36).slice(2)}`
      return {
        command: client,
        args: createArgs(['--name', container, ...getRunOptions(name, info)], nodeArgs),
        env,
        stop: { command: client, args: ['rm', '-f', container] },
      }
    },
  })
}

function getRunOptions(name: string, { reads, writes, net, limits }: LaunchInfo): string[] {
  const { memory, cpu, pids = MAX_PIDS, tmp } = limits
  const mebibytes = (size: number): string => `${Math.ceil(size * 1024)}k`
  return [
    ...Object.entries(getNodeEnvironment(reads)).flatMap(([name, value]) => ['-e', `${name}=${value}`]),
    ...(net ? [] : ['--network', 'none']),
    ...(memory === undefined ? [] : ['--memory', mebibytes(memory), '--memory-swap', mebibytes(memory)]),
    ...(cpu === undefined ? [] : ['--cpus', String(cpu)]),
    ...['--pids-limit', String(pids)],
    ...(tmp === undefined ? [] : ['--tmpfs', `/tmp:size=${mebibytes(tmp)}`]),
    ...[...reads.directories, ...reads.files].flatMap(path => mount(name, path, writes.includes(path) ? '' : ':ro')),
    ...writes.filter(path => !reads.directories.includes(path)).flatMap(path => mount(name, path, '')),
  ]
}

/** A container has its own files of the kernel. Docker would create what is missing on the host. */
function mount(name: string, path: string, mode: '' | ':ro'): string[] {
  if (path.includes(':'))
    throw unavailable(name, `it cannot mount ${path}, which has a colon`, 'Use a path without one')
  return existsSync(path) && !isWithin(KERNEL_DIRECTORIES, path) ? ['-v', `${path}:${path}${mode}`] : []
}

/** @throws {LauncherUnavailable} unless the image starts, with the flags of the host's version */
async function probe(trial: Parameters<typeof tryCommand>[0], name: string, image: string): Promise<void> {
  const { status, stdout, failure } = await tryCommand(trial)
  const pull = `Start the daemon, if it has one, and pull the image (${name} pull ${image})`
  if (status !== 0)
    throw unavailable(name, `Node could not be started in ${image}: ${failure.split('\n')[0]!.slice(0, 500)}`, pull)
  if (stdout.trim() === process.version) return
  throw unavailable(
    name,
    `${image} has Node.js ${stdout.trim()}, and the host ${process.version}`,
    `Use an image with the version of the host, such as node:${process.version.slice(1)}-slim`,
  )
}
