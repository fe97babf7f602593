// The file of grants, which people can read and edit: who was granted what, for which content; and the tarballs that were installed.
import { createHash, randomUUID } from 'node:crypto'
import { link, rename, rm, writeFile } from 'node:fs/promises'
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

export class Grants {
  readonly #file: string | undefined
  #text = ''
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
      while (!(await this.#replace(change)));
    })
    this.#changing = changing.catch(() => {})
    return changing
  }

  /**
   * Replaces the file as a whole unless another process has done so since it was read: then it returns false. What follows a text has a name
   * that only one process can link, and whoever finds it there puts it in place, so that a process that has died blocks nobody.
   */
  async #replace(change: (content: Content) => Content): Promise<boolean> {
    const before = await this.#readText()
    const after = `${JSON.stringify(change(this.#parse(before)), undefined, 2)}\n`
    if (after === before) return true
    const file = this.#file
    if (file === undefined) return Boolean((this.#text = after))
    const next = `${file}.${createHash('sha256').update(before).digest('hex').slice(0, 16)}.next`
    const temporary = `${file}.${randomUUID()}`
    try {
      await writeFile(temporary, after, { flag: 'wx', mode: 0o600, flush: true })
      const isMine = await link(temporary, next).then(() => true, except('EEXIST'))
      if ((await this.#readText()) === before) await rename(next, file).catch(except('ENOENT'))
      else if (isMine) return rm(next, { force: true }).then(() => false)
      return isMine
    } finally {
      await rm(temporary, { force: true })
    }
  }

  async #readText(): Promise<string> {
    if (this.#file === undefined) return this.#text
    return (await readText(this.#file, 'InvalidGrants').catch(except('ENOENT'))) || ''
  }

  #parse(text: string): Content {
    const file = this.#file ?? 'grants'
    return text === ''
      ? { plugins: [], installed: [] }
      : parse(schema, parseJson(text, file, 'InvalidGrants'), 'InvalidGrants', file)
  }
}

/** Returns a handler that returns false for an error with this code, and throws others. */
const except =
  (code: string) =>
  (error: NodeJS.ErrnoException): false => {
    if (error.code === code) return false
    throw error
  }
