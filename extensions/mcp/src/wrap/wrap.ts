// `sallyport-mcp wrap`, from its command line to the end of the server:
//
// 1. install   the package of `npx`, as it was accepted, if it is not there yet
// 2. start     the server, in the wall, with the rights of the options alone
// 3. relay     messages, until one of the two ends
import { createHash } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { basename, isAbsolute, join, resolve } from 'node:path'
import { PassThrough, type Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { getHomeDirectory } from '@sallyport/core/internal'
import { LauncherUnavailable, type ProgramOptions, startProgram } from '@sallyport/process/internal/launchers'
import { readNumber, UsageError, type Values } from '@sallyport/protocol/internal/command-line'
import { parseJson, toPlainText } from '@sallyport/protocol/internal/util'
import { isBelow, isWithin } from '../shared/checks.js'
import { Approval } from './approval.js'
import { type Installed, Installer, type NpxCommand, parseNpx } from './install.js'
import { Learner } from './learn.js'
import { CAPABILITIES, getErrorText, Relay } from './relay.js'

const DEFAULTS = { memory: 1024, pids: 128, timeout: 600 }
/** Node takes a longer time for 1 ms. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1
const INITIALIZE = {
  ...{ jsonrpc: '2.0', id: 1, method: 'initialize' },
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'sallyport-mcp', version: '0' } },
}

const tell = (text: string): void => console.error(`sallyport-mcp wrap: ${toPlainText(text)}`)

/** What the options of a command line give to a server. */
interface Rights extends Pick<ProgramOptions, 'secrets' | 'env' | 'memory'> {
  readonly wall: NonNullable<ProgramOptions['wall']>
  readonly net: NonNullable<ProgramOptions['net']>
  readonly read: readonly string[]
  readonly write: readonly string[]
}

/** @throws {UsageError} */
function readRights(values: Values): Rights {
  const { read = [], write = [], net = [], env = [], secret = [], wall: [wall = 'required'] = [] } = values
  if (wall !== 'required' && wall !== 'none') throw new UsageError(`--wall takes required or none, not '${wall}'`)
  const [needsWall] =
    Object.entries({ read, write, net, secret }).find(([, list]) => list.length > 0) ??
    (values['learn'] ? ['learn'] : [])
  if (wall === 'none' && needsWall !== undefined) throw new UsageError(`--${needsWall} needs a wall`)
  const secrets = secret.map(entry => {
    const [name = '', hosts = ''] = entry.split('=')
    if (hosts === '') throw new UsageError(`--secret takes NAME=host, not '${name}'`)
    return [name, { value: readVariable(name), hosts: hosts.split(',') }] as const
  })
  const hosts = [...net, ...secrets.flatMap(([, { hosts }]) => hosts)]
  const rights = {
    ...{ read: read.map(path => resolve(path)), write: write.map(path => resolve(path)) },
    env: Object.fromEntries(env.map(toVariable)),
    memory: readNumber(values, 'memory', DEFAULTS.memory),
  }
  if (wall === 'none') return { ...rights, wall, net: true }
  return { ...rights, wall, net: hosts.length > 0 && hosts, secrets: Object.fromEntries(secrets) }
}

function toVariable(entry: string): [name: string, value: string] {
  const at = entry.indexOf('=')
  return at < 0 ? [entry, readVariable(entry)] : [entry.slice(0, at), entry.slice(at + 1)]
}

function readVariable(name: string): string {
  const value = process.env[name]
  if (value === undefined) throw new UsageError(`The variable ${name} is not set`)
  return value
}

/**
 * The same relative path is another program in another directory. Not by what exists: a server that creates `./data.db` would have another name at its
 * next start, for which nothing was accepted.
 */
const PATH = /^\.{1,2}$|^\.{0,2}\/|\.(?:[cm]?[jt]s|py)$/

/** Returns the name of a server, by which its directory and its lock are found: of npm, that of the package. */
export function getName(npx: NpxCommand | undefined, program: readonly string[]): string {
  const [, name] = /^((?:@[\w.~-]+\/)?[\w~-][\w.~-]*)(?:@[^/:]*)?$/.exec(npx?.spec ?? '') ?? []
  if (name !== undefined) return name.replace(/^@/, '').replace('/', '+')
  const command = npx?.spec ?? program[0]!
  const words = (npx ? [command] : program).map(word => (PATH.test(word) ? resolve(word) : word))
  const hash = createHash('sha256').update(JSON.stringify(words))
  return `${basename(command).replaceAll(/[^\w.-]/g, '_')}-${hash.digest('hex').slice(0, 8)}`
}

function getDirectory(name: string): string {
  const { XDG_DATA_HOME: data = '' } = process.env
  return join(isAbsolute(data) ? data : join(getHomeDirectory(), '.local/share'), 'sallyport/mcp', name)
}

/** Returns the exit code. */
export async function runWrap(values: Values, program: readonly string[]): Promise<number> {
  if (program.length === 0)
    throw new UsageError('The command of a server is missing: wrap [options] -- npx -y a-server')
  const { ask: asks = [], tool: globs, lock: [lockFile] = [], accept } = values
  const unknown = asks.find(each => !CAPABILITIES.includes(each))
  if (unknown !== undefined) throw new UsageError(`--ask takes ${CAPABILITIES.join(', ')}, not '${unknown}'`)
  const rights = readRights(values)
  const timeout = Math.min(readNumber(values, 'timeout', DEFAULTS.timeout) * 1000, MAX_TIMEOUT_MS)
  const npx = parseNpx(program)
  const name = getName(npx, program)
  const directory = getDirectory(name)
  const home = join(directory, 'home')
  await mkdir(home, { recursive: true, mode: 0o700 })
  const file = resolve(lockFile ?? join(directory, 'lock.json'))
  const approval = await Approval.read({ name, file, accepts: accept !== undefined, globs, tell })
  if (isBelow([...rights.write, home], file) || isBelow(rights.write, directory))
    throw new UsageError(`--write must not contain what was accepted of the server: ${file}`)
  const installed = npx && (await install(approval, npx, new Installer(directory, rights), accept !== undefined))
  const { command = program[0]!, read = [] } = installed ?? {}
  const learner = values['learn'] ? new Learner() : undefined
  const server = await startProgram({
    ...(learner ? learner.watch(rights) : rights),
    ...{ command, args: npx?.args ?? program.slice(1), read: [...rights.read, ...read] },
    ...{ home, cwd: getWorkingDirectory(rights) ?? home, pids: DEFAULTS.pids },
    onDenied({ host, hint }) {
      learner?.addHost(host)
      tell(`${host} was denied. ${hint.replace('to "net" of its sandbox', 'to --net')}`)
    },
  }).catch(explainStart)
  if (learner) learner.read(server.stderr, process.stderr)
  else server.stderr.pipe(process.stderr)
  const isRoot = (uri: unknown): boolean => isWithin([...rights.read, ...rights.write], toPath(uri))
  const client = accept ? createClient() : { input: process.stdin, output: process.stdout }
  const relay = new Relay({ ...client, program: server, approval, asks, isRoot, timeout, tell })
  const { reason, code } = await relay.run()
  if (learner) tell(learner.describe())
  if ('hasListed' in client) return client.hasListed() ? 0 : 1
  if (code !== 0) tell(`The server has ended: ${reason}`)
  return code
}

async function install(
  approval: Approval,
  { spec, bin }: NpxCommand,
  installer: Installer,
  accepts: boolean,
): Promise<Installed> {
  if (accepts || approval.accepted.spec !== spec) {
    await approval.reviewPackage(spec, await installer.resolve(spec).catch(explainStart))
  }
  return installer.install(approval.accepted.lock!, bin).catch(explainStart)
}

function explainStart(error: unknown): never {
  if (!(error instanceof LauncherUnavailable)) throw error
  const remedy = 'Or pass --wall none: the server then has all of your rights.'
  throw new Error(`${error.message}\n${remedy}`, { cause: error })
}

/** A server that sees the directory of its client works there, so that relative paths in its arguments mean the same. */
function getWorkingDirectory({ read, write, wall }: Rights): string | undefined {
  return wall === 'none' || isWithin([...read, ...write], process.cwd()) ? process.cwd() : undefined
}

function toPath(uri: unknown): string | undefined {
  try {
    return fileURLToPath(String(uri))
  } catch {
    return undefined
  }
}

/** A client that only lists the tools. Its relay ends a server that does not end by itself then. */
function createClient(): { readonly input: Readable; readonly output: PassThrough; readonly hasListed: () => boolean } {
  const input = new PassThrough()
  const output = new PassThrough()
  let hasListed = false
  const send = (message: object): void => void input.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
  input.write(`${JSON.stringify(INITIALIZE)}\n`)
  // The relay writes a message at once.
  output.setEncoding('utf8').on('data', (text: string) => {
    const { id, method, error } = Object(parseJson(text))
    if (method !== undefined) return
    if (error !== undefined) tell(`Nothing was accepted: ${getErrorText(error)}`)
    if (id === 2) hasListed = error === undefined
    if (id === 2 || error !== undefined) return void input.end()
    send({ method: 'notifications/initialized' })
    send({ id: 2, method: 'tools/list' })
  })
  return { input, output, hasListed: () => hasListed }
}
