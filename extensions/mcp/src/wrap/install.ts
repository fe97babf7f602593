// The package of a command `npx …`, installed once. npm reaches the network, and runs no code of the package; its install scripts then reach what the
// server reaches. What runs later can change nothing of it. Install scripts can leave links to any place, so that only programs in the wall read and write
// below that directory.
import { createHash } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { existsSync, realpathSync } from 'node:fs'
import { basename, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type ProgramOptions, startProgram } from '@sallyport/process/internal/launchers'
import { UsageError } from '@sallyport/protocol/internal/command-line'
import { parseJson } from '@sallyport/protocol/internal/util'
import type { PackageLock } from './approval.js'

type Rights = Required<Pick<ProgramOptions, 'wall' | 'net'>>

export interface NpxCommand {
  /** As npm takes it: `name@version`. */
  readonly spec: string
  /** Its command, unless it has one alone. */
  readonly bin: string | undefined
  readonly args: readonly string[]
}

/** Returns `undefined` for another program. @throws {UsageError} for options of npx that mean something else here */
export function parseNpx([command = '', ...rest]: readonly string[]): NpxCommand | undefined {
  if (!/^npx(?:\.cmd)?$/.test(basename(command))) return undefined
  let spec: string | undefined
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (/^(?:-y|--yes|-q|--quiet|--)$/.test(word)) continue
    const [, value] = /^--package=(.+)/.exec(word) ?? []
    if (word === '-p' || word === '--package') spec = rest.shift()
    else if (value !== undefined) spec = value
    else if (word.startsWith('-')) throw new UsageError(`npx ${word} is not known here: -y and -p are`)
    else return { spec: spec ?? word, bin: spec === undefined ? undefined : word, args: rest }
  }
  throw new UsageError('npx needs the name of a package')
}

/** How an installed package is started. */
export interface Installed {
  readonly command: string
  readonly read: readonly string[]
}

// npm reads the .npmrc of a package that it clones with git: what names a program there must not count.
const NPM =
  'npm_config_audit=false npm_config_fund=false npm_config_loglevel=error npm_config_ignore_scripts=true npm_config_git=git npm_config_node_options=--no-deprecation npm'
// The kernel gives up the lock with its program: two clients can start one server at once, and each can be killed.
const LOCK = 'if command -v flock >/dev/null; then exec 9<.; flock 9; fi'
const RESOLVE = `${LOCK}; rm -f package*.json; ${NPM} install --package-lock-only --omit-lockfile-registry-resolved -- "$1" >&2 && cat package-lock.json`
const FETCH = `${LOCK}; test -e .fetched && exit; printf %s "$1" >package.json; cat >package-lock.json; ${NPM} ci >&2 && : >.fetched`
const BUILD = `${LOCK}; test -e .built && exit; npm rebuild >&2 && : >.built`

/** Of npm itself. A native module can need more than a server. */
const LIMITS = { memory: 4096, pids: 512 }

export class Installer {
  readonly #directory: string
  readonly #rights: Rights

  /** @param directory - of the server. @param rights - those that its install scripts have, too */
  constructor(directory: string, rights: Rights) {
    this.#directory = directory
    this.#rights = rights
  }

  /** Returns what npm would install now. */
  async resolve(spec: string): Promise<PackageLock> {
    const home = join(this.#directory, 'npm')
    await mkdir(home, { recursive: true, mode: 0o700 })
    return parseJson(await this.#run(RESOLVE, [spec], { home, ...getNetwork() })) as PackageLock
  }

  /** Installs what a lock has, unless it is there. */
  async install(lock: PackageLock, bin: string | undefined): Promise<Installed> {
    const { dependencies = {} } = lock.packages[''] ?? {}
    const text = JSON.stringify(lock)
    const directory = join(this.#directory, 'packages', createHash('sha256').update(text).digest('hex').slice(0, 16))
    const [name = ''] = Object.keys(dependencies)
    if (!existsSync(join(directory, '.built'))) {
      const home = join(this.#directory, 'npm')
      await Promise.all([home, directory].map(each => mkdir(each, { recursive: true, mode: 0o700 })))
      const place = { write: [directory], cwd: directory }
      await this.#run(FETCH, [JSON.stringify({ dependencies })], { home, ...place, ...getNetwork() }, text)
      const hasScripts = Object.values(lock.packages).some(each => each.hasInstallScript)
      await this.#run(hasScripts ? BUILD : ': >.built', [], { ...place, net: this.#rights.net })
    }
    const bins = Object.keys(lock.packages[`node_modules/${name}`]?.bin ?? {})
    return { command: findBin(directory, name, bin, bins), read: [directory] }
  }

  /** @throws {Error} with what the program wrote */
  async #run(script: string, args: readonly string[], options: Partial<ProgramOptions>, input = ''): Promise<string> {
    const command = { command: 'sh', args: ['-c', script, 'sh', ...args], wall: this.#rights.wall, ...LIMITS }
    const { isWalled, ...program } = await startProgram({ ...command, ...options })
    program.stdin.on('error', () => {}).end(input)
    const [output, errors, { code }] = await Promise.all([text(program.stdout), text(program.stderr), program.exited])
    if (code === 0) return output
    const remedy = isWalled && script === BUILD ? '\nName the hosts that its install scripts need in --net.' : ''
    throw new Error(`npm did not install the package: ${errors.slice(-1000)}${remedy}`)
  }
}

/** The user's own registry, whose address can be a private one, and the way to it. No directory of a client decides about it. */
function getNetwork(): Pick<ProgramOptions, 'net' | 'env' | 'read'> {
  const options = { encoding: 'utf8', cwd: '/', timeout: 60_000 } as const
  const names = ['registry', 'cafile', 'https-proxy', 'proxy', 'noproxy']
  const lines = execFileSync('npm', ['config', 'get', ...names], options).split('\n')
  const env: Record<string, string> = {}
  for (const line of lines) {
    const [name = '', value = 'null'] = line.split(/=(.*)/)
    if (value !== 'null') env[`npm_config_${name.replaceAll('-', '_')}`] = value
  }
  // npm goes on without a file that is missing.
  return { net: true, env, read: [env['npm_config_cafile'] ?? []].flat().filter(existsSync) }
}

/** @throws {Error} for a link that leads out of the package: what it leads to would be shown in the wall */
function findBin(directory: string, name: string, bin: string | undefined, bins: readonly string[]): string {
  const found = bin ?? (bins.length === 1 ? bins[0] : bins.find(each => each === basename(name)))
  if (found === undefined) throw new Error(`${name} has no command of its name. Name one: npx -p ${name} <command>`)
  const path = realpathSync(join(directory, 'node_modules/.bin', found))
  if (path.startsWith(join(realpathSync(directory), '/'))) return path
  throw new Error(`The command ${found} of ${name} leads out of the package`)
}
