// Commands in permission files that nobody has, where one of nearly that name is there: a typing error, most likely, and in a
// `deny` one that denies nothing. Names that are near nothing pass: files may be written for more commands than this core has.
import { didYouMean } from '../guess.js'
import { keyOf, type Catalogue } from './catalogue.js'
import { type CommandName } from './acl.js'
import { methodOf } from './identifier.js'

/** A sentence for each, with the file and the place in it. */
export function misnamedCommands({ files }: Catalogue, commands: Iterable<CommandName>): string[] {
  const all = [...commands]
  return files.flatMap(({ source, key, file }) => {
    const names = new Set(
      all.filter(command => keyOf(command) === key).map(({ method }) => method.slice(methodOf(key, '').length)),
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
