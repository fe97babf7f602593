// Suggests the nearest right name for a wrong permission. Many mistakes are other names of the same thing: the
// command's method, or the name before Tauri added `core:`.
import { didYouMean } from '../shared/suggest.js'
import { type Catalogue, getCommandKey } from './catalogue.js'
import { joinIdentifier, type PermissionName, splitIdentifier, splitMethod } from './identifier.js'
import type { CommandIdentity } from './types.js'

/** Returns ` (did you mean "fs:allow-read"?)`, or an empty string. */
export function suggestPermission(name: PermissionName, catalogue: Catalogue): string {
  const identifier = joinIdentifier(name)
  const names = new Set(getNames(catalogue))
  const same = otherNames(identifier).find(each => names.has(each))
  if (same !== undefined) return ` (did you mean ${JSON.stringify(same)}?)`
  // Every plugin has a `default`, so a name of a plugin that is not here resembles names of others.
  const isNear = (each: string): boolean =>
    catalogue.plugins.has(name.key) || isNearKey(name.key, splitIdentifier(each).key)
  return didYouMean(identifier, [...names].filter(isNear))
}

/** Shorter names resemble each other by chance: `os` and `fs`. */
const MIN_KEY_LENGTH = 4

const isNearKey = (key: string, other: string): boolean =>
  key.length >= MIN_KEY_LENGTH && didYouMean(key, [other]) !== ''

/** `read_file` is `allow-read-file`, `plugin:fs|read` is `fs:allow-read`, `event:default` is `core:event:default`. */
function otherNames(identifier: string): string[] {
  const plain = identifier.replace(/^plugin:([^|]+)\|/, '$1:').replaceAll('_', '-')
  return [plain, `core:${plain}`].flatMap(name => [name, name.replace(/[^:]*$/, 'allow-$&'), `${name}:default`])
}

function* getNames({ plugins }: Catalogue): Iterable<string> {
  for (const [key, { permissions, sets, defaultSet }] of plugins) {
    for (const name of [...permissions.keys(), ...sets.keys()]) yield joinIdentifier({ key, name })
    if (defaultSet) yield joinIdentifier({ key, name: 'default' })
  }
}

/**
 * Finds commands in permission files that do not exist but nearly match an existing one. In a `deny` such a typing error denies nothing.
 * Other unknown names pass, because files can be written for more commands than this core has. Returns a sentence for each.
 */
export function findMisnamedCommands({ files }: Catalogue, commands: Iterable<CommandIdentity>): string[] {
  const all = [...commands]
  return files.flatMap(({ source, key, file }) => {
    const candidates = all.filter(command => getCommandKey(command) === key)
    const names = new Set(candidates.map(({ method }) => splitMethod(method).name))
    const suggestCommand = (name: string): string => (names.has(name) ? '' : didYouMean(name, names))
    return (file.permission ?? []).flatMap(({ commands: named }, index) =>
      (['allow', 'deny'] as const).flatMap(effect =>
        (named?.[effect] ?? []).filter(suggestCommand).map(name => {
          const place = `${source.from}: permission[${index}].commands.${effect}`
          return `${place}: there is no command ${JSON.stringify(name)}${suggestCommand(name)}`
        }),
      ),
    )
  })
}
