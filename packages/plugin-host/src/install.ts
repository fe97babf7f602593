// Puts a package into the directory of plugins, without running any of it: from npm, or from a tarball.
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { createGunzip } from 'node:zlib'
import { MAX_BYTES, MAX_FILES, readIntegrity } from './content.js'
import { PluginError } from './errors.js'
import type { Grants } from './grants.js'
import { isPackageName } from './label.js'
import { type ManifestRules, type PluginManifest, readManifest } from './manifest.js'

/** Options of `install`. */
export interface InstallOptions {
  /** Integrity that the tarball must have, as in package-lock.json: `sha512-…`. */
  integrity?: string
  /** URL of a registry. @default npm's public one */
  registry?: string
}

/** A package that was read, and not put in place. */
export interface Unpacked {
  readonly manifest: PluginManifest
  /** Directory of the package. */
  readonly directory: string
  /** Keeps the tarball's integrity for the version. */
  pin(): Promise<void>
  remove(): Promise<void>
}

const MAX_TARBALL = 64 * 1024 * 1024

const fail = (text: string, cause?: unknown): PluginError => new PluginError('InstallFailed', text, { cause })

/** Packages that only `install` needs, with what they depend on: 90 packages. */
async function load<Module>(importing: Promise<Module>, name: string): Promise<Module> {
  return importing.catch((cause: unknown) => {
    throw fail(`the package ${name} is missing: npm install pacote@21 ssri@13 tar@7`, cause)
  })
}

/**
 * @param spec - `name@1.2.3`, or the path or file URL of a `.tgz`
 * @param parent - directory of plugins
 * @throws {PluginError} InstallFailed, and as `readManifest`
 */
export async function unpack(
  spec: string | URL,
  options: InstallOptions,
  { parent, grants, rules }: { parent: string; grants: Grants; rules: ManifestRules },
): Promise<Unpacked> {
  const named =
    typeof spec === 'string' ? /^(?<name>(?:@[^@/]+\/)?[^@/:]+)@(?<version>[^@/:]+)$/.exec(spec)?.groups : undefined
  const tarball = named ? await download(named as { name: string; version: string }, options) : await readTarball(spec)
  const ssri = await load(import('ssri'), 'ssri')
  if (options.integrity !== undefined && ssri.checkData(tarball, options.integrity) === false) {
    throw fail(`${String(spec)} does not have the integrity ${options.integrity}`)
  }
  const integrity = ssri.fromData(tarball, { algorithms: ['sha512'] }).toString()
  await mkdir(parent, { recursive: true })
  const directory = await mkdtemp(join(parent, '.install-'))
  const remove = (): Promise<void> => rm(directory, { recursive: true, force: true })
  try {
    await extract(tarball, directory)
    const manifest = await readManifest(join(directory, 'package'), rules)
    const { name, version, dependencies } = manifest
    if (named && (named['name'] !== name || named['version'] !== version)) {
      throw fail(`${String(spec)} contains ${name}@${version}`)
    }
    const pinned = await grants.getTarball(name, version)
    if (pinned && pinned.integrity !== integrity) {
      throw fail(
        `${name}@${version} is not the tarball that was installed before: its integrity was ${pinned.integrity}`,
      )
    }
    for (const each of dependencies) {
      const isBundled = await stat(join(directory, 'package/node_modules', each)).catch(() => undefined)
      if (isBundled || each === '@sallyport/frontend') continue
      throw fail(`${name} needs ${each}, which is not in its tarball. Its author should bundle its dependencies`)
    }
    await readIntegrity(join(directory, 'package'))
    return {
      manifest,
      directory: join(directory, 'package'),
      pin: () => grants.addTarball({ name, version, integrity }),
      remove,
    }
  } catch (error) {
    await remove()
    throw error
  }
}

async function readTarball(spec: string | URL): Promise<Buffer> {
  const file = spec instanceof URL || spec.startsWith('file:') ? fileURLToPath(spec) : spec
  const info = await stat(file).catch((cause: unknown) => {
    throw fail(`${file} is not "name@1.2.3", and not a file`, cause)
  })
  if (!info.isFile() || info.size > MAX_TARBALL) throw fail(`${file} must be a file of at most ${MAX_TARBALL} bytes`)
  return readFile(file)
}

async function download(
  { name, version }: { name: string; version: string },
  options: InstallOptions,
): Promise<Buffer> {
  const { valid } = (await import('semver')).default
  if (!isPackageName(name) || valid(version) !== version) {
    throw fail(`${name}@${version} must name one version, such as "@acme/x@1.2.3"`)
  }
  const { default: pacote } = await load(import('pacote'), 'pacote')
  const chunks: Buffer[] = []
  let size = 0
  const read = async (stream: AsyncIterable<Buffer>): Promise<void> => {
    chunks.length = size = 0
    for await (const chunk of stream) {
      chunks.push(chunk)
      if ((size += chunk.length) > MAX_TARBALL) throw fail(`${name}@${version} has more than ${MAX_TARBALL} bytes`)
    }
  }
  const { registry, integrity } = options
  const cache = await mkdtemp(join(tmpdir(), 'sallyport-install-'))
  const settings = { cache, ignoreScripts: true, ...(registry && { registry }), ...(integrity && { integrity }) }
  try {
    await pacote.tarball.stream(`${name}@${version}`, read as never, settings)
    return Buffer.concat(chunks)
  } catch (cause) {
    throw cause instanceof PluginError ? cause : fail(`${name}@${version}: ${(cause as Error).message}`, cause)
  } finally {
    await rm(cache, { recursive: true, force: true })
  }
}

/** Writes files and directories below `package/` in `directory`, and refuses a tarball with anything else. */
async function extract(tarball: Buffer, directory: string): Promise<void> {
  await measure(tarball)
  const { extract: untar } = await load(import('tar'), 'tar')
  const file = join(directory, `${createHash('sha256').update(tarball).digest('hex')}.tgz`)
  await writeFile(file, tarball, { mode: 0o600 })
  let [files, wrong] = [0, '']
  const filter = (path: string, entry: object): boolean => {
    const { type } = entry as { type?: string }
    const isPlain = type === 'File' || type === 'OldFile' || type === 'Directory'
    const names = path.split(/[/\\]/)
    if (!isPlain) wrong ||= `${path} is a ${type}`
    else if (names.includes('..') || /^(?:[/\\]|[a-z]:)/i.test(path)) wrong ||= `${path} leads out of the package`
    else if (++files > MAX_FILES) wrong ||= `it has more than ${MAX_FILES} files`
    return wrong === ''
  }
  try {
    await mkdir(join(directory, 'package'))
    const modes = { dmode: 0o755, fmode: 0o644, preserveOwner: false, noChmod: true }
    await untar({ file, cwd: join(directory, 'package'), strip: 1, strict: true, filter, ...modes })
  } catch (cause) {
    wrong ||= (cause as Error).message
  }
  if (wrong) throw fail(`the tarball is refused: ${wrong}`)
}

/** Refuses a tarball that takes more than a plugin may have, before anything is written. */
async function measure(tarball: Buffer): Promise<void> {
  let left = MAX_BYTES + MAX_FILES * 1024
  const count = new Writable({
    write(chunk: Buffer, _encoding, done) {
      left -= chunk.length
      done(left < 0 ? new Error(`it has more than ${MAX_BYTES} bytes`) : undefined)
    },
  })
  await pipeline([tarball], createGunzip(), count).catch((cause: Error) => {
    throw fail(`the tarball is refused: ${cause.message}`, cause)
  })
}

/** Puts a directory in the place of another one, which comes back if that fails. */
export async function replace(from: string, to: string): Promise<void> {
  const old = `${from}.old`
  await rename(to, old).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
  await rename(from, to).catch(async (error: unknown) => {
    await rename(old, to).catch(() => {})
    throw error
  })
}
