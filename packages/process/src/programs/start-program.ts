// Starts a program of any kind in the wall, with pipes for its standard streams.
import type { StdioOptions } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import {
  BusError,
  checkOptions,
  describeThrown,
  FUNCTION,
  type OptionCheck,
  type OptionChecks,
} from '@sallyport/protocol/internal/errors'
import { isCount, isObject } from '@sallyport/protocol/internal/util'
import { getCertificates, getZoneVariable } from '../launchers/node-program.js'
import { HOST_RULE, HOSTS_RULE, NET_RULE, parseHostPattern } from '../network/host-list.js'
import {
  checkSecrets,
  createSecrets,
  getPlaceholders,
  SECRET_NAME,
  SECRET_NAME_RULE,
  SECRET_VALUE,
  SECRET_VALUE_RULE,
} from '../network/secrets.js'
import { Child } from '../child/child.js'
import { OrphanGuard } from '../child/orphan-guard.js'
import { removeCgroups } from '../launchers/cgroup.js'
import { areArguments, CHECKS, isNumberFrom, withFilterFile } from '../launchers/launcher.js'
import { findProgramWall, getSearchPath, type WalledLaunch, type WalledProgram } from './program-wall.js'
import { getProxyVariables, type ProgramProxyOptions, serveProxy } from './program-proxy.js'
import { findProgram } from '../launchers/programs.js'

/** Options of `startProgram`. */
export interface ProgramOptions {
  /** The name of a program in `PATH`, or an absolute path. */
  readonly command: string
  /** Its arguments. */
  readonly args?: readonly string[]
  /** `required` starts it in a wall of bubblewrap, or not at all. `none` starts it with the rights of the host. @default 'required' */
  readonly wall?: 'required' | 'none'
  /**
   * Files and directories that it can read, as absolute paths or file URLs. Everyone's programs and libraries (`/usr`) are readable
   * anyway. It can also use the Unix sockets in these directories, unless `net` is true.
   */
  readonly read?: readonly (string | URL)[]
  /** Files and directories that it can read and change. */
  readonly write?: readonly (string | URL)[]
  /**
   * True if it may use the network of the host. An array lists the hosts that it reaches through a proxy, as `net` of a process does: its
   * variables `HTTP_PROXY`, `HTTPS_PROXY` and `NODE_USE_ENV_PROXY` name the proxy. A list needs the wall. With either it also gets the host's
   * `NODE_EXTRA_CA_CERTS` and `SSL_CERT_FILE`, and can read these files. @default false
   */
  readonly net?: boolean | readonly string[]
  /**
   * Secrets by the name of an environment variable, in which the program finds a placeholder. The value replaces the placeholder in headers
   * of requests through the gateway, `http://127.0.0.1:3128/api.example/v1` for `https://api.example/v1`, to these `hosts`. It needs `net`
   * with the hosts.
   */
  readonly secrets?: Readonly<Record<string, { readonly value: string; readonly hosts: readonly string[] }>>
  /** Called for each host that was denied, at most ten times a second. */
  readonly onDenied?: (denied: DeniedHost) => void
  /** Its environment variables, in addition to `PATH`, `HOME`, `TMPDIR`, `LANG` and the host's `TZ`. It gets none of the host's. */
  readonly env?: Readonly<Record<string, string>>
  /** A directory of its own for `HOME` and caches, which it can change. @default `/tmp`, in memory */
  readonly home?: string
  /** Its working directory. @default `home` */
  readonly cwd?: string
  /** Limits the memory of the program and those that it starts, in MiB. Linux only. */
  readonly memory?: number
  /** Limits its processes and threads. Linux only. */
  readonly pids?: number
  /** Limits files in `/tmp`, in MiB. @default 64 */
  readonly tmp?: number
}

/** A host that a program asked for, and did not reach. */
export interface DeniedHost {
  /** The host with its port. */
  readonly host: string
  /** Why, and the entry to add. */
  readonly hint: string
}

/** How a program has ended. */
export interface ProgramExit {
  /** The exit code, unless a signal ended it. */
  readonly code: number | null
  /** The signal that ended it. */
  readonly signal: NodeJS.Signals | null
  /** The limit because of which it was ended, as a clause: `used more memory than its limit of 200 MiB`. */
  readonly exceeded: string | undefined
}

/** A running program. */
export interface Program {
  /** Id of the process that was started: in a wall, that of the wall. */
  readonly pid: number
  /** True if it runs in a wall. */
  readonly isWalled: boolean
  /** Its standard input. */
  readonly stdin: Writable
  /** Its standard output. */
  readonly stdout: Readable
  /** Its standard error. */
  readonly stderr: Readable
  /**
   * Resolves once it has exited, and its output was read. No process that it has started is left then: without a wall, none of its group, and others
   * that hold its output are not waited for.
   */
  readonly exited: Promise<ProgramExit>
  /** Ends it, and all that it has started: without a wall, its group. */
  kill(): void
}

const DEFAULT_TMP_MB = 64
const size: OptionCheck = [value => isNumberFrom(value, Number.MIN_VALUE), 'MiB, more than 0']
const paths: OptionCheck = [areArguments, 'an array of paths or file URLs']
const directory: OptionCheck = [
  value => typeof value === 'string' && (/^\/[^\n\0:]*$/.test(value) || process.platform === 'win32'),
  'an absolute path without colons',
]
const OPTIONS: OptionChecks<ProgramOptions> = {
  command: [value => typeof value === 'string' && value !== '', 'the name or the path of a program', 'required'],
  args: CHECKS.args,
  wall: [value => value === 'required' || value === 'none', '"required" or "none"'],
  read: paths,
  write: paths,
  onDenied: FUNCTION,
  env: [value => isObject(value) && areArguments(Object.entries(value).flat()), 'an object of strings'],
  home: directory,
  cwd: directory,
  memory: size,
  pids: [value => isCount(value, 1), 'a whole number of processes and threads, from 1'],
  tmp: size,
  // `checkNetwork` checks these.
  net: undefined,
  secrets: undefined,
}

/**
 * Starts a program in a wall: with the files, the network and the limits that the options list, and no others. It may start programs itself,
 * which are in the same wall, and ends with all of them when it exits, at `kill`, and when this process ends, for whatever reason. Without a wall,
 * what has left its process group (`setsid`) goes on, and on Windows all that it has started, and itself when this process ends.
 *
 * @throws {LauncherUnavailable} if there is no wall on this machine
 * @throws {BusError} InvalidParams for an invalid option or a missing program; LoadFailed if its proxy does not start
 * @example const { stdout } = await startProgram({ command: 'python3', args: ['-c', 'print(1)'], memory: 200, pids: 10 })
 */
export async function startProgram(options: ProgramOptions): Promise<Program> {
  const { program, proxy } = check(options)
  const isWalled = options.wall !== 'none'
  const wall = isWalled ? await findProgramWall() : undefined
  const child = wall ? startWalled(wall.launch(program), proxy !== undefined) : startOpen(program)
  try {
    await Promise.race([once(child.process, 'spawn'), child.exited])
  } catch (cause) {
    await removeCgroups(child.launch.cgroups)
    const text = `startProgram: ${program.command} could not be started: ${describeThrown(cause)}`
    throw new BusError('InvalidParams', text, { cause })
  }
  const { memory, pids, tmp } = program
  child.watch({ memory, pids, tmp: isWalled ? tmp : undefined })
  const exited = child.exited.then(async ({ code, signal, limit }): Promise<ProgramExit> => {
    await removeCgroups(child.launch.cgroups)
    return { code, signal, exceeded: limit?.text }
  })
  if (proxy) await serveProxy(child.process, proxy)
  const { stdin, stdout, stderr } = child.process
  return {
    pid: child.pid!,
    isWalled,
    stdin: stdin!,
    stdout: stdout!,
    stderr: stderr!,
    exited,
    kill: () => child.kill(),
  }
}

const startWalled = (launch: WalledLaunch, hasProxy: boolean): Child =>
  withFilterFile(launch.filter, tmpdir(), filter =>
    withFilterFile(launch.options, tmpdir(), listed => {
      const stdio: StdioOptions = ['pipe', 'pipe', 'pipe', filter, listed, ...(hasProxy ? (['ipc'] as const) : [])]
      return new Child({ launch, hasWall: true, cwd: '/', env: {}, stdio })
    }),
  )

function startOpen({ command, args, cwd, home, env }: WalledProgram): Child {
  const start = { launch: { command, args }, cwd: cwd ?? home ?? tmpdir(), env: { ...env } }
  const child = new Child({ ...start, hasWall: false, stdio: 'pipe' })
  new OrphanGuard().watch(child.process)
  return child
}

/** @throws {BusError} InvalidParams */
function check(options: ProgramOptions): { program: WalledProgram; proxy: ProgramProxyOptions | undefined } {
  const wrong = (text: string): BusError => new BusError('InvalidParams', `startProgram: ${text}`)
  const [read, write] = [toPaths(options?.read), toPaths(options?.write)]
  checkOptions('startProgram', isObject(options) ? { ...options, read, write } : options, OPTIONS)
  const { command, args = [], wall, env = {}, home, cwd } = options
  const { memory, pids, tmp = DEFAULT_TMP_MB, onDenied, net = false, secrets = {} } = options
  checkNetwork(net, secrets, wrong)
  checkSecrets('startProgram', { net, secrets })
  if (typeof net === 'object' && wall === 'none') throw wrong('net must not be a list of hosts without a wall')
  const path = findProgram(command, process.env['PATH'])
  if (path === undefined) throw wrong(`the program ${JSON.stringify(command)} was not found`)
  // The wall has a rule for each.
  const missing = wall === 'none' ? [...(read ?? []), ...(write ?? [])].find(each => !existsSync(each)) : undefined
  if (missing !== undefined) throw wrong(`${JSON.stringify(missing)} cannot be read`)
  const place = home ?? '/tmp'
  const own = {
    ...{ PATH: getSearchPath(), HOME: place, TMPDIR: '/tmp', LANG: 'C.UTF-8', ...getZoneVariable() },
    ...{ XDG_CACHE_HOME: `${place}/.cache`, npm_config_cache: `${place}/.npm`, npm_config_update_notifier: 'false' },
  }
  const placed = createSecrets(secrets)
  const proxy = typeof net === 'object' ? { hosts: net, secrets: placed, onDenied } : undefined
  const certificates = net === false ? {} : getCertificates()
  const reached = { ...certificates, ...(proxy && getProxyVariables(proxy.hosts)) }
  const variables = { ...own, ...reached, ...env, ...getPlaceholders(placed) }
  const program: WalledProgram = {
    ...{ command: path, args, read: [...(read ?? []), ...Object.values(certificates)], write: write ?? [] },
    ...{ net: typeof net === 'object' ? 'proxy' : net, env: variables },
    ...{ home, cwd, memory, pids, tmp },
  }
  return { program, proxy }
}

const toPaths = (list: unknown): readonly string[] | undefined =>
  (Array.isArray(list)
    ? list.map(each => (each instanceof URL && each.protocol === 'file:' ? fileURLToPath(each) : each))
    : list) as readonly string[] | undefined

/** Its errors repeat no values, of which one might be a secret. */
function checkNetwork(net: unknown, secrets: unknown, wrong: (text: string) => BusError): void {
  const mustBe = (place: string, rule: string): BusError => wrong(`${place} must be ${rule}`)
  const checkHosts = (place: string, hosts: unknown): void => {
    if (!Array.isArray(hosts) || hosts.length === 0) throw mustBe(place, HOSTS_RULE)
    const at = hosts.findIndex(host => typeof host !== 'string' || parseHostPattern(host) === undefined)
    if (at >= 0) throw mustBe(`${place}[${at}]`, HOST_RULE)
  }
  if (Array.isArray(net)) checkHosts('net', net)
  else if (typeof net !== 'boolean') throw mustBe('net', NET_RULE)
  if (!isObject(secrets)) throw mustBe('secrets', 'an object')
  for (const [name, secret] of Object.entries(secrets)) {
    if (!SECRET_NAME.test(name)) throw mustBe('each name in secrets', SECRET_NAME_RULE)
    const place = `secrets.${name}`
    if (!isObject(secret)) throw mustBe(place, 'an object')
    const { value, hosts, ...others } = secret
    if (Object.keys(others).length > 0) throw mustBe(place, 'an object with value and hosts alone')
    if (typeof value !== 'string' || !SECRET_VALUE.test(value)) throw mustBe(`${place}.value`, SECRET_VALUE_RULE)
    checkHosts(`${place}.hosts`, hosts)
  }
}
