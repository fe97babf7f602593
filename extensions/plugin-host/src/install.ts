// Puts a package into the directory of plugins, without running any of it: from npm, or from a tarball.
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { createGunzip } from 'node:zlib'
import semver from 'semver'
import { MAX_BYTES, MAX_FILES, readIntegrity } from './content.js'
import { PluginError } from './errors.js'
import { isPackageName, type ManifestRules, type PluginManifest, readManifest } from './manifest.js'

/** Options of `install`. */
export interface InstallOptions {
  /** Integrity that the tarball must have, as in package-lock.json: `sha512-…`. */
  integrity?: string
  /** URL of a registry. @default npm's public one */
  registry?: string
}

/** A package that was checked, in a temporary directory. */
export interface Unpacked {
  readonly directory: string
  readonly manifest: PluginManifest
  readonly integrity: string
}

const MAX_TARBALL = 64 * 1024 * 1024
const PART_BYTES = 16_384
/** In the directory of its label, a longer path can be one that no system call takes: nobody could remove it. */
const MAX_PATH = 1000

/** Nobody reads a login in a log. */
const fail = (text: string, cause?: unknown): PluginError =>
  new PluginError('InstallFailed', text.replaceAll(/\/\/[^/\s]*@/g, '//'), { cause })

/** Packages that only `install` needs, with what they depend on: 90 packages. */
const load = () =>
  Promise.all([import('pacote'), import('tar')]).catch((cause: unknown) => {
    throw fail('packages are missing: npm install pacote@21 tar@7', cause)
  })

/**
 * Unpacks a package, and checks what can be known before it runs.
 * @param temporary - an empty directory
 * @throws {PluginError} InstallFailed, InvalidPlugin
 */
export async function unpack(
  spec: string | URL,
  temporary: string,
  { integrity, registry }: InstallOptions,
  rules: ManifestRules,
  signal: AbortSignal,
): Promise<Unpacked> {
  const directory = join(temporary, 'package')
  const source = await toSource(spec)
  const [{ default: pacote }, { extract }] = await load()
  const settings = { cache: join(temporary, 'cache'), ignoreScripts: true, registry, integrity, signal }
  let tarball: Buffer = Buffer.alloc(0)
  let wrong = ''
  const entries = new Set<string>()
  const filter = (path: string, entry: { type?: string; mode?: number | undefined }): boolean => {
    const { type = '' } = entry
    // A header's mode, which could be setuid, would win over `fmode` and `dmode`.
    entry.mode = undefined
    if (!/^(?:OldFile|File|Directory)$/.test(type)) wrong ||= `${path} is a ${type}`
    else if (/^(?:[/\\]|[a-z]:)|(?:^|[/\\])\.\.(?:[/\\]|$)/i.test(path)) wrong ||= `${path} leads out of the package`
    else if (path.length > MAX_PATH) wrong ||= `${path.slice(0, 80)}... is a path of more than ${MAX_PATH} characters`
    // Also the directories that a path creates.
    const place = path.replace(/\/?$/, '/')
    for (let end = place.indexOf('/'); end > 0 && entries.size <= MAX_FILES; end = place.indexOf('/', end + 1)) {
      entries.add(place.slice(0, end))
    }
    if (entries.size > MAX_FILES) wrong ||= `it has more than ${MAX_FILES} files and directories`
    return wrong === ''
  }
  try {
    // Bounded before anything is written, packed and unpacked.
    const read = async (stream: AsyncIterable<Buffer>) => (tarball = await gather(stream))
    await pacote.tarball.stream(source, read as never, settings)
    const unpacked = (stream: AsyncIterable<Buffer>) => readAll(stream, MAX_BYTES, MAX_FILES * 1024)
    await pipeline([tarball], createGunzip(), unpacked)
    await mkdir(directory)
    const modes = { dmode: 0o755, fmode: 0o644, preserveOwner: false, noChmod: true }
    const target = extract({ cwd: directory, strip: 1, strict: true, filter, ...modes })
    // Each bad entry is an error of its own, so the listener stays.
    const closed = new Promise<void>((resolve, reject) => target.on('error', reject).on('close', resolve))
    // In parts, because it inflates what it gets at once: the thread serves others.
    Readable.from(split(tarball)).pipe(target as unknown as Writable)
    await closed
  } catch (cause) {
    wrong ||= (cause as Error).message
  }
  signal.throwIfAborted()
  if (wrong) throw fail(`${String(spec)} is refused: ${wrong}`)
  const manifest = await readManifest(directory, rules).catch((error: unknown) => namePackage(error, directory, spec))
  const { name, version, dependencies } = manifest
  if (source === spec && source !== `${name}@${semver.valid(version)}`)
    throw fail(`${source} contains ${name}@${version}`)
  for (const each of dependencies) {
    const isBundled = await stat(join(directory, 'node_modules', each)).catch(() => undefined)
    if (isBundled || each === '@sallyport/frontend') continue
    throw fail(`${name} needs ${each}, which is not in its tarball. Its author should bundle its dependencies`)
  }
  await readIntegrity(directory).catch((error: unknown) => namePackage(error, directory, spec))
  return { directory, manifest, integrity: `sha512-${createHash('sha512').update(tarball).digest('base64')}` }
}

/** The temporary directory, which an error names, is gone by the time that it is read. */
function namePackage(error: unknown, directory: string, spec: string | URL): never {
  if (!(error instanceof PluginError)) throw error
  throw new PluginError(error.code, error.message.replaceAll(directory, String(spec)), { cause: error })
}

/** Returns a version of a registry, or a file: what pacote reads without running anything. */
async function toSource(spec: string | URL): Promise<string> {
  const [, name = '', version = ''] = /^(.+)@([^@/:]+)$/.exec(String(spec)) ?? []
  if (isPackageName(name) && semver.valid(version) === version) return String(spec)
  const file = resolve(String(spec).startsWith('file:') ? fileURLToPath(spec) : String(spec))
  const info = await stat(file).catch(() => undefined)
  const isTarball = /^(?!https?:).*\.(?:tgz|tar\.gz)$/i.test(String(spec))
  if (isTarball && !info) throw fail(`There is no file ${file}. Name one that exists, or a version, as "@acme/x@1.2.3"`)
  // No URL, whose escapes pacote would escape again.
  if (isTarball && info?.isFile()) return `file:${file}`
  throw fail(`${String(spec)} must name one version, as "@acme/x@1.2.3", or a file, as "/path/x-1.2.3.tgz"`)
}

/** @param more - bytes for headers, in addition to `max` */
async function readAll(
  chunks: AsyncIterable<Buffer>,
  max: number,
  more = 0,
  take: (chunk: Buffer) => void = () => {},
): Promise<void> {
  let left = max + more
  for await (const chunk of chunks) {
    if ((left -= chunk.length) < 0) throw new Error(`it has more than ${max} bytes`)
    take(chunk)
  }
}

function* split(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += PART_BYTES) yield bytes.subarray(at, at + PART_BYTES)
}

/** Copies chunks into one memory: they can have one byte each, and be views of much more. */
export async function gather(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  let all = Buffer.allocUnsafeSlow(2 ** 16)
  let size = 0
  await readAll(chunks, MAX_TARBALL, 0, chunk => {
    if (size + chunk.length > all.length) all = Buffer.concat([all], 2 * all.length + chunk.length)
    size += chunk.copy(all, size)
  })
  return all.subarray(0, size)
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error
}

/** Puts a directory in the place of another one, which is kept aside, and comes back if that fails. */
export async function replace(from: string, to: string, aside: string): Promise<void> {
  await rename(to, aside).catch(ignoreMissing)
  await rename(from, to).catch(async (error: unknown) => {
    await rename(aside, to).catch(() => {})
    throw error
  })
}

const OLD = 'old'
const HOST = encodeURIComponent(hostname())

export interface Temporary {
  readonly temporary: string
  /** Where the plugin that is replaced is kept until the new one has started. */
  readonly old: string
}

/** Creates a directory for an install. */
export async function createTemporary(parent: string): Promise<Temporary> {
  const owner = `${HOST}-${process.pid}.${await readStart(process.pid)}`
  const temporary = await mkdtemp(join(parent, `.install-${owner}-`))
  const old = join(temporary, OLD)
  await mkdir(old)
  return { temporary, old }
}

/** Ends an install. From its first step on, a program that is killed brings nothing back. */
export async function removeTemporary({ temporary, old }: Temporary): Promise<void> {
  await rename(old, join(temporary, 'done')).catch(() => {})
  await removeAll(temporary)
}

/** Undoes installs of programs that were killed, and removes what they left. */
export async function recover(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const [, host, pid, start = UNKNOWN] = /^\.install-(.*)-(\d+)(?:\.(\d+))?-\w+$/.exec(name) ?? []
    if (pid === undefined) continue
    const isDead = host === HOST && !(await isAlive(Number(pid), start))
    // In a directory that is read-only, all stays as it is.
    await undo(parent, join(parent, name), isDead).catch(() => {})
  }
}

async function undo(parent: string, temporary: string, isDead: boolean): Promise<void> {
  const old = join(temporary, OLD)
  for (const name of (await readdir(old).catch(ignoreMissing)) ?? []) {
    const [from, to] = [join(old, name), join(parent, name)]
    if (isDead) await replace(from, to, join(temporary, 'undone'))
    // Of a program that can be alive, only what is missing: no directory replaces one that has files.
    else await rename(from, to).catch(() => {})
  }
  if (isDead) await removeAll(temporary)
}

/** Of a program of this machine, or this container: there, the next program often has the same process id. */
async function isAlive(pid: number, start: string): Promise<boolean> {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  const found = await readStart(pid)
  return found === UNKNOWN || start === UNKNOWN || found === start
}

const UNKNOWN = '0'

/** Returns when a process has started, in the kernel's own time, which no clock changes. Other systems than Linux do not say it. */
async function readStart(pid: number): Promise<string> {
  const text = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '')
  // The name of the program, in parentheses, can have any characters.
  return text.slice(text.lastIndexOf(')')).split(' ')[20] ?? UNKNOWN
}

export const removeAll = (directory: string): Promise<void> =>
  rm(directory, { recursive: true, force: true, maxRetries: 5 })
