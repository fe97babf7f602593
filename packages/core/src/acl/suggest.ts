// The nearest right name for a wrong permission. Many are no slips of the keyboard but other names of the same thing: the
// command as it is called, or what was right before Tauri put `core:` before its own plugins.
import { didYouMean } from '../shared/suggest.js'
import { type Catalogue, getCommandKey } from './catalogue.js'
import { joinIdentifier, getMethod, type PermissionName } from './identifier.js'
import type { CommandName } from './types.js'

/** ` (did you mean "fs:allow-read"?)`, or nothing. */
export function nearestPermission(name: PermissionName, catalogue: Catalogue): string {
  const identifier = joinIdentifier(name)
  const names = new Set(namesIn(catalogue))
  const same = otherNames(identifier).find(each => names.has(each))
  return same === undefined ? didYouMean(identifier, names) : ` (did you mean ${JSON.stringify(same)}?)`
}

/** `read_file` is `allow-read-file`, `plugin:fs|read` is `fs:allow-read`, `event:default` is `core:event:default`. */
function otherNames(identifier: string): string[] {
  const plain = identifier.replace(/^plugin:([^|]+)\|/, '$1:').replaceAll('_', '-')
  return [plain, `core:${plain}`].flatMap(name => [name, name.replace(/[^:]*$/, 'allow-$&'), `${name}:default`])
}

function* namesIn({ plugins }: Catalogue): Iterable<string> {
  for (const [key, { permissions, sets, defaultSet }] of plugins) {
    for (const name of [...permissions.keys(), ...sets.keys()]) yield joinIdentifier({ key, name })
    if (defaultSet) yield joinIdentifier({ key, name: 'default' })
  }
}

// Commands in permission files that nobody has, where one of nearly that name is there: a typing error, most likely, and in a
// `deny` one that denies nothing. Names that are near nothing pass: files may be written for more commands than this core has.

/** A sentence for each, with the file and the place in it. */
export function misnamedCommands({ files }: Catalogue, commands: Iterable<CommandName>): string[] {
  const all = [...commands]
  return files.flatMap(({ source, key, file }) => {
    const names = new Set(
      all
        .filter(command => getCommandKey(command) === key)
        .map(({ method }) => method.slice(getMethod(key, '').length)),
    )
    const hintOf = (name: string): string => (names.has(name) ? '' : didYouMean(name, names))
    return (file.permission ?? []).flatMap(({ commands: named }, index) =>
      (['allow', 'deny'] as const).flatMap(effect =>
        (named?.[effect] ?? []).filter(hintOf).map(name => {
          const place = `${source.from}: permission[${index}].commands.${effect}`
          return `${place}: there is no command ${JSON.stringify(name)}${hintOf(name)}`
        }),
      ),
    )
  })
}
