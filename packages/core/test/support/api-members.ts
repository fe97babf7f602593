// The public API as its reports have it: what is exported, and the members of each class and interface.
import { readFileSync } from 'node:fs'

const REPORTS = [
  ...['index', 'testing', 'acl', 'launchers'].map(name => `core/etc/${name}`),
  ...['index', 'tauri', 'otel'].map(name => `frontend/etc/${name}`),
]

const OWNER = /^(?:export )?(?:declare )?(?:class|interface) (\w+)/
const VALUE = /^export (?:declare )?(?:function|const|let) (\w+)/
/** Bases that are not exported, and who has their members. */
const BASES: Readonly<Record<string, readonly string[]>> = { EventMethods: ['Bus'], FrontendFunctions: ['App', 'Bus'] }
const MEMBER = /^ {4}(?:get |set |static |readonly )*(?:"([^"]+)"|(\[[\w.]+\]|\w+))[?(<:]/

/** Returns `Owner.member` for members, and the name of each function and constant. Copies of an interface count once. */
export function getApiMembers(): ReadonlySet<string> {
  const members = new Set<string>()
  for (const report of REPORTS) {
    let owner: string | undefined
    for (const line of readFileSync(new URL(`../../../${report}.api.md`, import.meta.url), 'utf8').split('\n')) {
      const [, value] = VALUE.exec(line) ?? []
      if (value !== undefined) members.add(value)
      const [, name] = OWNER.exec(line) ?? []
      // The report calls a class so whose name an alias has.
      if (name !== undefined) owner = name.replace(/_\d$/, '')
      else if (line.startsWith('}')) owner = undefined
      const [, quoted, plain] = (owner !== undefined && MEMBER.exec(line)) || []
      const member = quoted ?? plain
      // `[Symbol.asyncIterator]` and others of a language's protocol call what has a name.
      if (member === undefined || member === 'constructor' || member.startsWith('[')) continue
      for (const each of BASES[owner!] ?? [owner!]) members.add(`${each}.${member}`)
    }
  }
  return members
}
