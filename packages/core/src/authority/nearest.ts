// The nearest right name for a wrong permission. Many are no slips of the keyboard but other names of the same thing: the
// command as it is called, or what was right before Tauri put `core:` before its own plugins.
import { didYouMean } from '../guess.js'
import type { Catalogue } from './catalogue.js'
import { joinIdentifier, type PermissionName } from './identifier.js'

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
