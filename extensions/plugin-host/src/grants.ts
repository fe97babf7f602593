// The file of grants, which people can read and edit: who was granted what, for which content; the tarballs that were installed; and whose
// the files, settings and capabilities of each label are.
import * as v from 'valibot'
import { SharedText } from '@sallyport/core/internal'
import { PluginError } from './errors.js'
import { describeKeys, MAX_BYTES, parse, parseJson, permissionsSchema, readText } from './json-file.js'
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
  readonly labels: readonly { readonly label: string; readonly name: string }[]
}

const id = { name: v.string(), version: v.string(), integrity: v.string() }
const grant = v.strictObject({ ...id, permissions: permissionsSchema, net: v.boolean(), grantedAt: v.string() })
const owner = v.strictObject({ label: v.string(), name: v.string() })
const entries = {
  plugins: v.array(grant, 'must be an array'),
  installed: v.optional(v.array(v.strictObject(id), 'must be an array'), []),
  labels: v.optional(v.array(owner, 'must be an array'), []),
}
const schema = v.strictObject(entries, describeKeys(entries))

export class Grants {
  readonly #file: string
  readonly #text: SharedText

  /** @param file - is read each time, because other programs and people can change it. Without one, grants are kept in memory */
  constructor(file: string | undefined) {
    this.#file = file ?? 'grants'
    this.#text = new SharedText(file, 0o600, path => readText(path, 'InvalidGrants'))
  }

  /** @throws {PluginError} InvalidGrants with file and key. A missing file has no grants */
  async read(): Promise<Content> {
    return this.#parse(await this.#text.read())
  }

  async get(name: string): Promise<Grant | undefined> {
    return (await this.read()).plugins.find(each => each.name === name)
  }

  set(added: Grant): Promise<void> {
    return this.#change(all => {
      const others = all.plugins.filter(({ name }) => name !== added.name)
      return { ...all, plugins: [...others, added].toSorted((a, b) => (a.name < b.name ? -1 : 1)) }
    })
  }

  /** @throws {PluginError} LabelInUse if the label was that of a package with another name */
  async checkLabel(label: string, name: string): Promise<void> {
    this.#isOwner(await this.read(), label, name)
  }

  /** Keeps the label for this package, also when it is uninstalled: what is kept for the label is its own. @throws like `checkLabel` */
  async claimLabel(label: string, name: string): Promise<void> {
    if (this.#isOwner(await this.read(), label, name)) return
    await this.#change(all =>
      this.#isOwner(all, label, name) ? all : { ...all, labels: [...all.labels, { label, name }] },
    )
  }

  /** False if the label is nobody's. */
  #isOwner({ labels }: Content, label: string, name: string): boolean {
    const owner = labels.find(each => each.label === label)
    if (!owner || owner.name === name) return owner !== undefined
    const text = `${name}: what this program keeps for the label ${label} is that of ${owner.name}. Use the option "prefix", or remove its data and its entry in "labels" of ${this.#file}`
    throw new PluginError('LabelInUse', text)
  }

  /** Brings a grant back in place of the one for `replaced`, unless somebody has taken that back. */
  restore(granted: Grant, { version, integrity }: Pick<Grant, 'version' | 'integrity'>): Promise<void> {
    const isReplaced = (each: Grant): boolean =>
      each.name === granted.name && each.version === version && each.integrity === integrity
    return this.#change(all => ({ ...all, plugins: all.plugins.map(each => (isReplaced(each) ? granted : each)) }))
  }

  remove(isRemoved: (name: string) => boolean): Promise<void> {
    return this.#change(all => ({ ...all, plugins: all.plugins.filter(({ name }) => !isRemoved(name)) }))
  }

  /** Keeps the tarball of a version. @throws {PluginError} InstallFailed if another one was installed before */
  pin(tarball: Content['installed'][number]): Promise<void> {
    const { name, version, integrity } = tarball
    return this.#change(all => {
      const { installed } = all
      const known = installed.find(each => each.name === name && each.version === version)
      if (!known) return { ...all, installed: [...installed, tarball] }
      if (known.integrity === integrity) return all
      const text = `${name}@${version} is not the tarball that was installed before, with ${known.integrity}. If you trust this one, remove the entry in "installed" of ${this.#file}`
      throw new PluginError('InstallFailed', text)
    })
  }

  #change(change: (content: Content) => Content): Promise<void> {
    return this.#text.change(before => {
      const text = `${JSON.stringify(change(this.#parse(before)), undefined, 2)}\n`
      if (Buffer.byteLength(text) <= MAX_BYTES) return text
      // Nobody could read it any more.
      const message = `it would have more than ${MAX_BYTES} bytes. Uninstall plugins, or remove entries`
      throw new PluginError('InvalidGrants', message, { file: this.#file })
    })
  }

  #parse(text: string | undefined): Content {
    return text === undefined
      ? { plugins: [], installed: [], labels: [] }
      : parse(schema, parseJson(text, this.#file, 'InvalidGrants'), 'InvalidGrants', this.#file)
  }
}
