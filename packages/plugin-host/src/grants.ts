// The file of grants, which people can read: who was granted what, for which content; and the tarballs that were installed.
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

export class Grants {
  readonly #file: string | undefined
  readonly #plugins: Map<string, Grant>
  #installed: readonly InstalledTarball[]
  #writing: Promise<void> = Promise.resolve()

  private constructor(file: string | undefined, plugins: readonly Grant[], installed: readonly InstalledTarball[]) {
    this.#file = file
    this.#plugins = new Map(plugins.map(grant => [grant.name, grant]))
    this.#installed = installed
  }

  /** Reads the file, which may be missing. Without one, grants are kept in memory. @throws {PluginError} InvalidGrants with file and key */
  static async open(file: string | undefined): Promise<Grants> {
    if (file === undefined) return new Grants(file, [], [])
    const value = await readJson(file, 'InvalidGrants').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return { plugins: [] }
      throw error
    })
    const { plugins, installed } = parse(schema, value, 'InvalidGrants', file)
    return new Grants(file, plugins, installed)
  }

  get(name: string): Grant | undefined {
    return this.#plugins.get(name)
  }

  /** Resolves when the file has it. */
  async set(grant: Grant): Promise<void> {
    this.#plugins.set(grant.name, grant)
    await this.#write()
  }

  getTarball(name: string, version: string): InstalledTarball | undefined {
    return this.#installed.find(each => each.name === name && each.version === version)
  }

  async addTarball(tarball: InstalledTarball): Promise<void> {
    if (this.getTarball(tarball.name, tarball.version)) return
    this.#installed = [...this.#installed, tarball]
    await this.#write()
  }

  /** Writes one after the other, so that the last one stays. */
  #write(): Promise<void> {
    const file = this.#file
    if (file === undefined) return Promise.resolve()
    const write = (): Promise<void> => {
      const plugins = [...this.#plugins.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))
      return writeWhole(file, `${JSON.stringify({ plugins, installed: this.#installed }, undefined, 2)}\n`)
    }
    const writing = this.#writing.then(write)
    this.#writing = writing.catch(() => {})
    return writing
  }
}
