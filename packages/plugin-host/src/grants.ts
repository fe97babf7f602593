// The file of grants, which people can read and edit: who was granted what, for which content; and the tarballs that were installed.
import { randomUUID } from 'node:crypto'
import { lstat, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import * as v from 'valibot'
import { PluginError } from './errors.js'
import { describeKeys, parse, parseJson, permissionsSchema, readText } from './json-file.js'
import type { PluginId, Rights } from './rights.js'

/** What a person granted to a plugin. */
export interface Grant extends PluginId, Rights {
  /** Hash of all files of the plugin: with another one, `ask` is called again. */
  readonly integrity: string
  /** When the rights were granted, as ISO 8601. */
  readonly grantedAt: string
}

interface Content {
  readonly plugins: readonly Grant[]
  readonly installed: readonly (PluginId & { readonly integrity: string })[]
}

const id = { name: v.string(), version: v.string(), integrity: v.string() }
const grant = v.strictObject({ ...id, permissions: permissionsSchema, net: v.boolean(), grantedAt: v.string() })
const entries = {
  plugins: v.array(grant, 'must be an array'),
  installed: v.optional(v.array(v.strictObject(id), 'must be an array'), []),
}
const schema = v.strictObject(entries, describeKeys(entries))

/** Age of a `.next` file from which on its program is taken for dead. */
const STALE_MS = 5000

export class Grants {
  readonly #file: string | undefined
  #text: string | false = false
  #changing: Promise<void> = Promise.resolve()

  /** @param file - is read each time, because other programs and people can change it. Without one, grants are kept in memory */
  constructor(file: string | undefined) {
    this.#file = file
  }

  /** @throws {PluginError} InvalidGrants with file and key. A missing file has no grants */
  async read(): Promise<Content> {
    return this.#parse(await this.#readText())
  }

  async get(name: string): Promise<Grant | undefined> {
    return (await this.read()).plugins.find(each => each.name === name)
  }

  /** Resolves when the file has it. */
  set(added: Grant): Promise<void> {
    return this.#change(({ plugins, installed }) => {
      const others = plugins.filter(({ name }) => name !== added.name)
      return { plugins: [...others, added].toSorted((a, b) => (a.name < b.name ? -1 : 1)), installed }
    })
  }

  /** Keeps the tarball of a version. @throws {PluginError} InstallFailed if another one was installed before */
  pin(tarball: Content['installed'][number]): Promise<void> {
    const { name, version, integrity } = tarball
    return this.#change(({ plugins, installed }) => {
      const known = installed.find(each => each.name === name && each.version === version)
      if (!known) return { plugins, installed: [...installed, tarball] }
      if (known.integrity === integrity) return { plugins, installed }
      const text = `${name}@${version} is not the tarball that was installed before, with ${known.integrity}`
      throw new PluginError('InstallFailed', text)
    })
  }

  #change(change: (content: Content) => Content): Promise<void> {
    const changing = this.#changing.then(async () => {
      while (!(await this.#replace(change))) await setTimeout(Math.random() * 20)
    })
    this.#changing = changing.catch(() => {})
    return changing
  }

  /**
   * Replaces the file as a whole, and returns true; or returns false if another program writes it at the same time. Each attempt creates a `.next`
   * file, looks for those of others, and only then renames its own: of two programs, at least one finds the other's. A program that was paused until
   * others removed its file as stale can neither write nor rename it any more, because no name is used twice.
   */
  async #replace(change: (content: Content) => Content): Promise<boolean> {
    const before = await this.#readText()
    const after = `${JSON.stringify(change(this.#parse(before)), undefined, 2)}\n`
    if (after === before) return true
    const file = this.#file
    if (file === undefined) return Boolean((this.#text = after))
    const next = `${file}.${randomUUID()}.next`
    await writeFile(next, '', { flag: 'wx', mode: 0o600 })
    try {
      if (await isOtherWriting(file, next)) return false
      // r+ does not create the file again.
      await writeFile(next, after, { flag: 'r+', flush: true })
      if ((await this.#readText()) !== before) return false
      await rename(next, file)
      return true
    } catch (error) {
      return ignoreMissing(error as NodeJS.ErrnoException)
    } finally {
      await rm(next, { force: true })
    }
  }

  async #readText(): Promise<string | false> {
    return this.#file === undefined ? this.#text : readText(this.#file, 'InvalidGrants').catch(ignoreMissing)
  }

  #parse(text: string | false): Content {
    const file = this.#file ?? 'grants'
    return text === false
      ? { plugins: [], installed: [] }
      : parse(schema, parseJson(text, file, 'InvalidGrants'), 'InvalidGrants', file)
  }
}

/** Removes stale files of others. Ages are differences of times of files, so that the clock of the file system does not matter. */
async function isOtherWriting(file: string, next: string): Promise<boolean> {
  const { mtimeMs } = await lstat(next)
  for (const name of await readdir(dirname(file))) {
    const other = join(dirname(file), name)
    if (!name.startsWith(`${basename(file)}.`) || !name.endsWith('.next') || name === basename(next)) continue
    if (Math.abs(mtimeMs - (await lstat(other)).mtimeMs) < STALE_MS) return true
    await rm(other, { force: true })
  }
  return false
}

function ignoreMissing(error: NodeJS.ErrnoException): false {
  if (error.code === 'ENOENT') return false
  throw error
}
