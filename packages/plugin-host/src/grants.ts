// The file of grants, which people can read and edit: who was granted what, for which content; and the tarballs that were installed.
import * as v from 'valibot'
import { parse, readJson, writeWhole } from './json-file.js'
import { isPackageName } from './label.js'
import { permissionsSchema } from './permissions-schema.js'
import type { Rights } from './requests.js'

/** What a person granted to a plugin. */
export interface Grant extends Rights {
  /** Name of the package. */
  readonly name: string
  /** Version to which the rights were granted. */
  readonly version: string
  /** Integrity of the plugin's directory: with another one, `ask` is called again. */
  readonly integrity: string
  /** When the rights were granted, as ISO 8601. */
  readonly grantedAt: string
}

/** A tarball that was installed: another one with this name and version is refused. */
export interface InstalledTarball {
  readonly name: string
  readonly version: string
  readonly integrity: string
}

interface Content {
  readonly plugins: readonly Grant[]
  readonly installed: readonly InstalledTarball[]
}

const id = {
  name: v.custom<string>(isPackageName, 'must be the name of a package'),
  version: v.string(),
  integrity: v.string(),
}
const schema = v.strictObject(
  {
    plugins: v.array(
      v.strictObject({ ...id, permissions: permissionsSchema, net: v.boolean(), grantedAt: v.string() }),
      'must be an array',
    ),
    installed: v.optional(v.array(v.strictObject(id), 'must be an array'), []),
  },
  'must be { plugins, installed }',
)

/** The last change of each file in this process: hosts that share a file change it one after the other. */
const changes = new Map<string, Promise<void>>()

export class Grants {
  readonly #file: string | undefined
  #memory: Content = { plugins: [], installed: [] }

  /** @param file - is read each time, because another host, or a person, can change it. Without one, grants are kept in memory */
  constructor(file: string | undefined) {
    this.#file = file
  }

  /** Reads the file, which may be missing. @throws {PluginError} InvalidGrants with file and key */
  async read(): Promise<Content> {
    if (this.#file === undefined) return this.#memory
    const value = await readJson(this.#file, 'InvalidGrants').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return { plugins: [] }
      throw error
    })
    return parse(schema, value, 'InvalidGrants', this.#file)
  }

  async get(name: string): Promise<Grant | undefined> {
    return (await this.read()).plugins.find(grant => grant.name === name)
  }

  /** Resolves when the file has it. */
  set(grant: Grant): Promise<void> {
    return this.#change(({ plugins, installed }) => {
      const others = plugins.filter(({ name }) => name !== grant.name)
      return { plugins: [...others, grant].toSorted((a, b) => (a.name < b.name ? -1 : 1)), installed }
    })
  }

  async getTarball(name: string, version: string): Promise<InstalledTarball | undefined> {
    return (await this.read()).installed.find(each => each.name === name && each.version === version)
  }

  /** Keeps the first tarball of a version. */
  addTarball(tarball: InstalledTarball): Promise<void> {
    const { name, version } = tarball
    return this.#change(({ plugins, installed }) => {
      const isKnown = installed.some(each => each.name === name && each.version === version)
      return { plugins, installed: isKnown ? installed : [...installed, tarball] }
    })
  }

  async #change(change: (content: Content) => Content): Promise<void> {
    const file = this.#file
    if (file === undefined) return void (this.#memory = change(this.#memory))
    const changing = (changes.get(file) ?? Promise.resolve()).then(async () =>
      writeWhole(file, `${JSON.stringify(change(await this.read()), undefined, 2)}\n`),
    )
    const settled = changing.catch(() => {})
    changes.set(file, settled)
    void settled.then(() => changes.get(file) === settled && changes.delete(file))
    return changing
  }
}
