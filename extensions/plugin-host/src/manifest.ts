// The manifest of a plugin: the key `sallyport` of its package.json, or a sallyport.json. Others wrote it.
import { lstat, realpath, stat } from 'node:fs/promises'
import { isBuiltin } from 'node:module'
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path'
import semver from 'semver'
import * as v from 'valibot'
import { PluginError } from './errors.js'
import { describeKeys, isVersion, parse, parseJson, permissionsSchema, readText } from './json-file.js'
import { getPermissionName, type PluginId, type Rights } from './rights.js'

const PACKAGE_NAME = /^(?=.{1,160}$)(?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/
/** What npm, Node's module resolution or Windows takes for something else. */
const SPECIAL_NAME = /^(?:node_modules|favicon\.ico|(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?|.*\.)$/
/** True for a name that a new package can have on npm, and a directory on any file system. */
export const isPackageName = (name: string): boolean =>
  PACKAGE_NAME.test(name) &&
  !isBuiltin(name) &&
  !name
    .replace('@', '')
    .split('/')
    .some(part => SPECIAL_NAME.test(part))
const RESERVED = /^(?:host|core|run-\d+|prototype)$/

export interface PluginManifest extends PluginId, Rights {
  readonly label: string
  readonly main: string
  readonly settings: Readonly<Record<string, unknown>>
  /** Names of dependencies, which nobody installs. */
  readonly dependencies: readonly string[]
  /** @throws {PluginError} InvalidPlugin with the file of the manifest */
  fail(key: string, message: string): never
  /** Where it asks for permissions, for texts: `sallyport.permissions of @acme/x/package.json`. */
  readonly rightsPlace: string
}

export interface ManifestRules {
  readonly directory?: string | undefined
  readonly prefix: string
  readonly permissions?: Readonly<Record<string, unknown>> | undefined
  readonly apiVersion?: string | undefined
  readonly onName?: (name: string) => void
}

const text = v.pipe(v.string('must be text'), v.nonEmpty('must not be empty'), v.maxLength(500, 'is too long'))
const entries = {
  main: v.optional(
    v.pipe(
      text,
      v.check(main => !isAbsolute(main), 'must be a path below the directory'),
    ),
    'index.js',
  ),
  permissions: v.optional(permissionsSchema, []),
  net: v.optional(v.boolean('must be true or false'), false),
  apiVersion: v.optional(
    v.pipe(
      text,
      v.check(range => !!semver.validRange(range), 'must be a range: "^1.2.0"'),
    ),
    '*',
  ),
  settings: v.optional(v.record(v.string(), v.unknown(), 'must be an object'), {}),
  name: v.pipe(text, v.check(isPackageName, 'must be a name that npm takes for a new package, such as "@acme/x"')),
  version: v.optional(
    v.pipe(
      v.custom<string>(isVersion, 'must be a version, such as "1.2.3"'),
      // The same version. What is behind `+` stays: it tells tarballs apart.
      v.transform(version => version.trim().replace(/^v/, '')),
    ),
    '0.0.0',
  ),
}
const schema = v.strictObject(entries, describeKeys(entries))

/** Returns the label of a package, or of a directory: `acme-x` for `@acme/x` and `_acme-x`. */
export const toLabel = (prefix: string, name: string): string =>
  prefix + name.replace(/^[@_]/, '').replaceAll(/[^a-z0-9_-]/gi, '-')

/** @param directory - a real path @throws {PluginError} InvalidPlugin with file and key */
export async function readManifest(directory: string, rules: ManifestRules): Promise<PluginManifest> {
  const ownFile = await findInside(directory, 'sallyport.json')
  const file = ownFile ?? (await findInside(directory, 'package.json')) ?? directory
  const fail = (key: string, message: string): never => {
    throw new PluginError('InvalidPlugin', message, { file, key: toKey(key) })
  }
  /** In a package.json, `sallyport` has all but these. */
  const toKey = (key: string): string =>
    ownFile || /^(?:name|version|sallyport)?$/.test(key) ? key : `sallyport.${key}`
  if (file === directory) fail('', 'has no sallyport.json or package.json')
  const value = parseJson(await readText(file, 'InvalidPlugin'), file, 'InvalidPlugin')
  const { name, version, main, sallyport, dependencies }: Record<string, unknown> = Object(value)
  if (typeof name === 'string' && isPackageName(name)) rules.onName?.(name)
  await checkNeighbors(directory, rules.directory)
  const isObject = Object.prototype.toString.call(sallyport) === '[object Object]'
  if (!ownFile && !isObject) fail('sallyport', 'must be an object: this package is not a plugin')
  const found = ownFile ? value : { main, ...(sallyport as object), name, version }
  const manifest = parse(schema, found, 'InvalidPlugin', file, toKey)
  for (const [index, entry] of manifest.permissions.entries()) {
    const permission = getPermissionName(entry)
    if (!rules.permissions || Object.hasOwn(rules.permissions, permission)) continue
    const known = Object.keys(rules.permissions).map(each => JSON.stringify(each))
    const message = `unknown permission ${JSON.stringify(permission)}. This program has ${known.join(', ') || 'none'}`
    fail(`permissions.${index}`, message)
  }
  if (rules.apiVersion && !semver.satisfies(rules.apiVersion, manifest.apiVersion, { includePrerelease: true })) {
    fail('apiVersion', `the plugin needs ${manifest.apiVersion}, and this program has ${rules.apiVersion}`)
  }
  const label = toLabel(rules.prefix, manifest.name)
  if (RESERVED.test(label) || label in Object.prototype) {
    fail('name', `the bus reserves the label ${JSON.stringify(label)}. Use another name, or the option "prefix"`)
  }
  const place = { file, key: toKey('main') }
  const module = await findInside(directory, manifest.main, place)
  if (module === undefined) return fail('main', `there is no file ${JSON.stringify(manifest.main)}`)
  const rightsPlace = `${toKey('permissions')} of ${manifest.name}/${basename(file)}`
  return {
    ...manifest,
    rightsPlace,
    label,
    main: module,
    dependencies: ownFile ? [] : Object.keys(Object(dependencies)),
    fail,
  }
}

/**
 * Node takes packages from a `node_modules` above a plugin, and the format of its modules from a package.json there. Both can change without
 * a question: the hash of a grant covers the plugin's directory alone.
 */
async function checkNeighbors(directory: string, parent = directory): Promise<void> {
  if (!isBelow(parent, directory)) return
  for (let above = dirname(directory); ; above = dirname(above)) {
    for (const file of [join(above, 'node_modules'), join(above, 'package.json')]) {
      const isMissing = await lstat(file).catch(() => true)
      if (isMissing === true) continue
      const text =
        'was found beside plugins, which would load it without a grant. Move it out of the directory of plugins'
      throw new PluginError('InvalidPlugin', text, { file })
    }
    if (above === parent) return
  }
}

/** Returns the real path of a file in the directory, or `undefined` without one. @throws {PluginError} InvalidPlugin if the path leads out */
async function findInside(
  directory: string,
  path: string,
  place: { file: string; key?: string } = { file: join(directory, path) },
): Promise<string | undefined> {
  const joined = join(directory, path)
  const real = await realpath(joined).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'EACCES') return undefined
    throw new PluginError('InvalidPlugin', 'this program is not permitted to read it', { file: joined, cause })
  })
  if (!isBelow(directory, real ?? joined)) throw new PluginError('InvalidPlugin', 'leads out of the directory', place)
  return real !== undefined && (await stat(real)).isFile() ? real : undefined
}

/** True for a path in the directory. Both are absolute, without links. */
export function isBelow(directory: string, path: string): boolean {
  const below = relative(directory, path)
  return below !== '' && below !== '..' && !below.startsWith(`..${sep}`) && !isAbsolute(below)
}
