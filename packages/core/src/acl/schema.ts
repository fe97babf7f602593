// What capabilities, permission files and manifests may hold: all of it is checked before any of it is used. Manifests are
// generated, by whatever version of Tauri, so only what is read of them is checked.
import * as v from 'valibot'
import { checkAclValue, mistake, type Place } from '../shared/validate.js'
import type { AclSource, Capability, CapabilitySource, Manifests, PermissionFile } from './types.js'

// Capabilities and permission files hold what JSON carries, wherever they are written. Else a value would be another one after
// its way to core (a URL becomes `{}`), and a handler could change a Date or a Map for the next one, frozen or not.

/** Far more than any file has; as in Tauri. */
const MAX_DEPTH = 128

/** @throws BusError `InvalidParams`, with the place of what is no such value */
export function checkPlain(source: AclSource & Place): void {
  const stray = strayIn(source.value, '', [])
  if (stray) throw mistake(source, stray.at, `must be a value that JSON carries: got ${stray.what}`)
}

interface Stray {
  at: string
  what: string
}

/** @param within the lists and objects that hold the value, outermost first */
function strayIn(value: unknown, at: string, within: readonly object[]): Stray | undefined {
  if (value === null || ['string', 'boolean', 'undefined'].includes(typeof value)) return undefined
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : { at, what: String(value) }
  if (typeof value !== 'object') return { at, what: typeof value }
  if (within.includes(value)) return { at, what: 'an object that holds itself' }
  if (within.length === MAX_DEPTH) return { at, what: `more than ${MAX_DEPTH} levels` }
  const inside = [...within, value]
  if (Array.isArray(value)) {
    return first(value.keys(), index => {
      const place = `${at}[${index}]`
      return value[index] === undefined ? { at: place, what: 'undefined' } : strayIn(value[index], place, inside)
    })
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  // Of whatever realm.
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) return { at, what: value.constructor.name }
  return first(Object.entries(value), ([name, member]) =>
    name === '__proto__'
      ? { at, what: 'a key named "__proto__"' }
      : strayIn(member, at === '' ? name : `${at}.${name}`, inside),
  )
}

function first<T>(values: Iterable<T>, find: (value: T) => Stray | undefined): Stray | undefined {
  for (const value of values) {
    const found = find(value)
    if (found) return found
  }
  return undefined
}

const string = v.string('a string')
const strings = v.array(string, 'a list of strings')
const name = v.pipe(string, v.nonEmpty('a name'))
const version = v.nullish(v.pipe(v.number('a whole number'), v.integer('a whole number'), v.minValue(1, '1 or more')))
const values = v.nullish(v.array(v.unknown(), 'a list of values'))
const platform = v.picklist(
  ['linux', 'macOS', 'windows', 'android', 'iOS'],
  '"linux", "macOS", "windows", "android" or "iOS"',
)
const platforms = v.nullish(v.array(platform, 'a list of platforms'))
type PlainSchema = v.CustomSchema<object, v.ErrorMessage<v.CustomIssue> | undefined>

/** valibot takes a list for an object. */
const plain = (what: string): PlainSchema =>
  v.custom<object>(given => typeof given === 'object' && given !== null && !Array.isArray(given), what)
const object = <E extends v.ObjectEntries>(
  entries: E,
  what: string,
): v.SchemaWithPipe<readonly [PlainSchema, v.StrictObjectSchema<E, string>]> =>
  v.pipe(plain(what), v.strictObject(entries, what))

/** Editors complete by it. */
const $schema = v.optional(string)

const permissionEntry = v.lazy(given =>
  typeof given === 'object'
    ? object({ identifier: name, allow: values, deny: values }, 'an identifier, or { identifier, allow, deny }')
    : v.pipe(v.string('an identifier, or { identifier, allow, deny }'), v.nonEmpty('an identifier')),
)

const capability = object(
  {
    $schema,
    identifier: name,
    description: v.optional(string),
    local: v.optional(v.boolean('true or false')),
    remote: v.nullish(object({ urls: strings }, '{ urls }')),
    windows: v.optional(strings),
    webviews: v.optional(strings),
    permissions: v.array(permissionEntry, 'a list of permissions'),
    platforms,
  },
  'a capability',
)

const permissionEntries = {
  identifier: name,
  version,
  description: v.nullish(string),
}
const commandEntries = { allow: v.optional(strings), deny: v.optional(strings) }
const scopeEntries = { allow: values, deny: values }

/** What stands there under this name, nothing could lead to. */
const definedName = v.pipe(
  name,
  v.check(given => given !== 'default', 'a name other than "default", which has a table of its own'),
)

const permissionFile = object(
  {
    $schema,
    default: v.nullish(object({ version, description: v.nullish(string), permissions: strings }, 'a table')),
    set: v.optional(
      v.array(
        object({ identifier: definedName, description: v.optional(string), permissions: strings }, 'a set'),
        'a list of sets',
      ),
    ),
    permission: v.optional(
      v.array(
        object(
          {
            ...permissionEntries,
            identifier: definedName,
            commands: v.optional(object(commandEntries, '{ allow, deny }')),
            scope: v.optional(object(scopeEntries, '{ allow, deny }')),
            platforms,
          },
          'a permission',
        ),
        'a list of permissions',
      ),
    ),
  },
  'a permission file: { default, set, permission }',
)

const manifestSet = v.object({ identifier: name, permissions: strings }, 'a set')
const manifest = {
  default_permission: v.nullish(manifestSet),
  permissions: v.record(
    v.string(),
    v.object(
      {
        ...permissionEntries,
        commands: v.optional(v.object(commandEntries)),
        scope: v.optional(v.object(scopeEntries)),
        platforms,
      },
      'a permission',
    ),
  ),
  permission_sets: v.record(v.string(), manifestSet),
}
const manifests = v.record(
  v.string(),
  v.object(manifest, 'a manifest'),
  'manifests by plugin, as in acl-manifests.json',
)

const SCOPE_KEYS = ['identifier', 'allow', 'deny']
const CAPABILITY_KEYS = [
  ...['description', 'local', 'remote', 'urls', 'windows', 'webviews', 'permissions', 'platforms', 'capabilities'],
  ...SCOPE_KEYS,
]
const PERMISSION_KEYS = [
  ...['default', 'set', 'permission', 'version', 'description', 'permissions', 'commands', 'scope', 'platforms'],
  ...SCOPE_KEYS,
]

/** @throws BusError `InvalidParams`, as all of these */
export function toCapability(source: CapabilitySource): Capability {
  checkPlain(source)
  return checkAclValue(source, capability, CAPABILITY_KEYS, source.value) as Capability
}

export function toPermissionFile(source: AclSource): PermissionFile {
  checkPlain(source)
  return checkAclValue(source, permissionFile, PERMISSION_KEYS, source.value) as PermissionFile
}

export const toManifests = (source: AclSource): Manifests =>
  checkAclValue(source, manifests, [], source.value) as unknown as Manifests
