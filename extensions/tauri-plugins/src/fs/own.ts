// The permission `fs:own`, and where the directories are that `$OWN` stands for.
import { BaseDirectory, type CommandContext, type PermissionDefinition } from '@sallyport/core'
import { getOwnName, getOwnRest, toPattern } from '@sallyport/paths/internal'
import { isAbsolute, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { getEntries } from '../scope/command-scope.js'

/** Allows every command of fs in the directory of the caller's label. */
export const OWN_PERMISSION: PermissionDefinition = {
  identifier: 'own',
  description: "Allows all commands in the directory of the frontend's own label.",
  scope: { allow: ['$OWN', '$OWN/**'] },
}

export class OwnDirectories {
  readonly #parent: string | undefined
  /** Whether scopes name `$OWN`. Core gives each call of a frontend's command the same object. */
  readonly #known = new WeakMap<CommandContext['scope'], boolean>()

  /** @throws {TypeError} if the directory has no absolute path */
  constructor(parent: string | URL | undefined) {
    this.#parent = parent instanceof URL ? fileURLToPath(parent) : parent
    if (this.#parent === undefined || (typeof this.#parent === 'string' && isAbsolute(this.#parent))) return
    throw new TypeError('fs: own must be a file: URL or an absolute path')
  }

  /** Returns the directory of the caller's label if its scope names it. @throws {string} if there is no place for such directories */
  get({ app, label, scope }: Pick<CommandContext, 'app' | 'label' | 'scope'>): string | undefined {
    let isNamed = this.#known.get(scope)
    if (isNamed === undefined) {
      isNamed = getEntries(scope).allow.some(entry => getOwnRest(toPattern(entry)) !== undefined)
      this.#known.set(scope, isNamed)
    }
    return isNamed ? join(this.#parent ?? this.#resolveDefault(app), getOwnName(label)) : undefined
  }

  #resolveDefault(app: CommandContext['app']): string {
    try {
      return app.path.resolve(BaseDirectory.AppData, 'own')
    } catch {
      throw 'fs:own needs the option `own` of fs, or the option `identifier` of the bus'
    }
  }
}
