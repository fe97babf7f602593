// Without a core module nobody knows its commands. Those that capabilities and sets name by their generated permissions
// (`allow-greet`) are taken to be there, so that who may call them is said all the same.
import { APP_KEY, splitCapabilities, type AclInput } from '../authority/acl.js'
import type { Commands } from '../define.js'

/** Tauri's generated names have `-` for `_`, and commands in Rust have no `-`. */
export function namedCommands({ capabilities, permissionFiles, manifests }: AclInput): Commands {
  const files = permissionFiles.filter(({ plugin }) => plugin === undefined).map(({ value }) => value)
  const app = member(manifests?.value, APP_KEY)
  const defined = new Set([
    ...files.flatMap(file => list(file, 'permission')).map(permission => member(permission, 'identifier')),
    ...Object.keys((member(app, 'permissions') ?? {}) as object),
  ])
  const sets = files.flatMap(file => [member(file, 'default'), ...list(file, 'set')])
  const holders = [...capabilities.flatMap(splitCapabilities).map(({ value }) => value), ...sets]
  const entries = holders.flatMap(holder => list(holder, 'permissions'))
  const names = entries.flatMap(entry => {
    const identifier = typeof entry === 'string' ? entry : member(entry, 'identifier')
    if (typeof identifier !== 'string' || defined.has(identifier)) return []
    return /^(?:allow|deny)-([a-z0-9-]+)$/.exec(identifier)?.[1]?.replaceAll('-', '_') ?? []
  })
  return Object.fromEntries(names.map(name => [name, () => {}]))
}

/** What is in these files is checked later. */
const member = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined

function list(value: unknown, name: string): readonly unknown[] {
  const found = member(value, name)
  return Array.isArray(found) ? found : []
}
