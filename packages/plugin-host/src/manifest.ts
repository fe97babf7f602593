// The manifest of a plugin: the key `sallyport` of its package.json, or a sallyport.json. Others wrote it.
import { realpath, stat } from 'node:fs/promises'
import { isAbsolute, join, relative, sep } from 'node:path'
import * as v from 'valibot'
import { PluginError } from './errors.js'
import { parse, readJson } from './json-file.js'
import { isPackageName } from './label.js'
import { permissionsSchema } from './permissions-schema.js'
import { getPermissionName, type Rights } from './requests.js'

/** A validated manifest. */
export interface PluginManifest extends Rights {
  /** Name of the package, as `@acme/x`. */
  readonly name: string
  /** Version of the package. */
  readonly version: string
  /** Real path of the module, which is in the plugin's directory. */
  readonly main: string
  /** Versions of the host's API that the plugin works with: a range of semver. */
  readonly apiVersion?: string | undefined
  /** Default settings, which the host can change. */
  readonly settings: Readonly<Record<string, unknown>>
  /** Dependencies that are not in the plugin's directory. */
  readonly dependencies: readonly string[]
}

/** What the host knows about all plugins. */
export interface ManifestRules {
  /** Names that `permissions` can have. Any, if there are none. */
  readonly known: ReadonlySet<string> | undefined
  /** Version of the host's API. */
  readonly apiVersion: string | undefined
}

const text = v.pipe(v.string('must be text'), v.nonEmpty('must not be empty'), v.maxLength(500, 'is too long'))
const version = v.optional(
  v.pipe(text, v.regex(/^\d+\.\d+\.\d+[\w.+-]*$/, 'must be a version, such as "1.2.3"')),
  '0.0.0',
)
const entries = {
  main: v.optional(text),
  permissions: v.optional(permissionsSchema, []),
  net: v.optional(v.boolean('must be true or false'), false),
  apiVersion: v.optional(text),
  settings: v.optional(v.record(v.string(), v.unknown(), 'must be an object'), {}),
}
const name = v.custom<string>(isPackageName, 'must be the name of a package: lower case, such as "@acme/x"')
const strict = <Entries extends v.ObjectEntries>(keys: Entries) =>
  v.strictObject(keys, ({ expected }) =>
    expected === 'never' ? `this key is not known: use ${Object.keys(keys).join(', ')}` : 'must be an object',
  )
const ownFile = strict({ name, version, ...entries })
const packageKey = strict(entries)
const packageFile = v.object(
  { name, version, main: v.optional(text), dependencies: v.optional(v.record(v.string(), v.unknown()), {}) },
  'must be an object',
)

/** @param directory - a real path @throws {PluginError} InvalidManifest with file and key; InvalidContent for a file outside of the directory */
export async function readManifest(directory: string, rules: ManifestRules): Promise<PluginManifest> {
  const own = await findInside(directory, 'sallyport.json')
  const file = own ?? (await findInside(directory, 'package.json'))
  if (file === undefined) {
    throw new PluginError('InvalidManifest', 'has no sallyport.json or package.json', { file: directory })
  }
  const key = own === undefined ? 'sallyport' : ''
  const at = (member: string): { file: string; key: string } => ({ file, key: key ? `${key}.${member}` : member })
  const value = await readJson(file, 'InvalidManifest')
  const found =
    own === undefined
      ? readPackage(value, file)
      : { ...parse(ownFile, value, 'InvalidManifest', file), dependencies: [] }
  const { main = 'index.js', ...manifest } = found
  for (const [index, entry] of manifest.permissions.entries()) {
    const permission = getPermissionName(entry)
    if (!rules.known || rules.known.has(permission)) continue
    const known = [...rules.known].map(each => JSON.stringify(each)).join(', ') || 'none'
    const message = `unknown permission ${JSON.stringify(permission)}. This program has ${known}`
    throw new PluginError('InvalidManifest', message, at(`permissions.${index}`))
  }
  await checkApiVersion(manifest.apiVersion, rules.apiVersion, at('apiVersion'))
  if (isAbsolute(main) || main.includes('\0')) {
    throw new PluginError('InvalidManifest', 'must be a path below the directory of the plugin', at('main'))
  }
  const module = await findInside(directory, main, at('main'))
  if (module !== undefined) return { ...manifest, main: module }
  throw new PluginError('InvalidManifest', `there is no file ${JSON.stringify(main)}`, at('main'))
}

function readPackage(value: unknown, file: string) {
  const { dependencies, ...found } = parse(packageFile, value, 'InvalidManifest', file)
  if (!Object.hasOwn(value as object, 'sallyport')) {
    throw new PluginError('InvalidManifest', 'is missing: this package is not a plugin', { file, key: 'sallyport' })
  }
  const { sallyport } = value as { sallyport: unknown }
  const own = parse(packageKey, sallyport, 'InvalidManifest', file, 'sallyport')
  return { ...found, ...own, main: own.main ?? found.main, dependencies: Object.keys(dependencies) }
}

async function checkApiVersion(range: string | undefined, offered: string | undefined, place: object): Promise<void> {
  if (range === undefined) return
  const { satisfies, validRange } = (await import('semver')).default
  if (validRange(range) === null) throw new PluginError('InvalidManifest', 'must be a range, such as "^1.2.0"', place)
  if (offered === undefined || satisfies(offered, range, { includePrerelease: true })) return
  throw new PluginError('InvalidManifest', `the plugin needs ${range}, and this program has ${offered}`, place)
}

/** Returns the real path of a file in the directory, or `undefined` without one. @throws {PluginError} if the path leads out */
async function findInside(directory: string, path: string, place?: object): Promise<string | undefined> {
  const joined = join(directory, path)
  const real = await realpath(joined).catch(() => undefined)
  if (!isBelow(directory, real ?? joined)) {
    const code = place ? 'InvalidManifest' : 'InvalidContent'
    throw new PluginError(code, 'leads out of the directory of the plugin', place ?? { file: joined })
  }
  return real !== undefined && (await stat(real)).isFile() ? real : undefined
}

/** True for a path in the directory. Both are absolute, without links. */
export function isBelow(directory: string, path: string): boolean {
  const below = relative(directory, path)
  return below !== '' && below !== '..' && !below.startsWith(`..${sep}`) && !isAbsolute(below)
}
