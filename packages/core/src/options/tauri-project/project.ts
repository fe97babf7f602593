// Reads a Tauri project: the parts of its configuration that a bus uses, and the files in the same directory.
import { existsSync } from 'node:fs'
import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import { basename, dirname, extname, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { BusError, createUnknownOptionError, didYouMean } from '@sallyport/protocol/internal/errors'
import { decodeText, isObject } from '@sallyport/protocol/internal/util'
import { type AclSource, type CapabilitySource, getPlatform, type PermissionFileSource } from '../../acl/types.js'
import type { AppInfo } from '../../contract/host-core.js'
import { check } from '../../shared/validate.js'
import { type AssetScope, CONFIG_KEYS, configSchema, type ParsedApp, PATTERN_PLACES } from './config-schema.js'
import { createRequire } from 'node:module'
import { isUtf8 } from 'node:buffer'
import JSON5 from 'json5'
import { parse as parseToml, TomlError } from 'smol-toml'

/** Options of `createBus` by the place of the same setting in a configuration, which would ignore them. */
const MISPLACED: Readonly<Record<string, string>> = {
  capabilities: 'app.security.capabilities',
  isolation: 'app.security.pattern',
}

const CONFIG_NAMES = ['tauri.conf.json', 'tauri.conf.json5', 'Tauri.toml']

/** The parts of a configuration that are about pages. */
export interface WebviewConfig {
  readonly directory: string
  /** `app.withGlobalTauri`. */
  readonly withGlobalTauri: boolean
  /** The content security policy, or `undefined` for none: as a string, or as sources by directive. */
  readonly csp: Csp | undefined
  /** The policy with the option `dev`. */
  readonly devCsp: Csp | undefined
  /** `dangerousDisableAssetCspModification`: true, or the directives that stay as they are. */
  readonly keptDirectives: boolean | readonly string[]
  /** The scope of the asset protocol, if it is enabled. */
  readonly assets: AssetScope | undefined
}

/** A content security policy: as a string, or as sources by directive. */
export type Csp = string | Readonly<Record<string, string | readonly string[]>>

type ParsedPattern = NonNullable<NonNullable<ParsedApp>['security']>['pattern']
type ParsedIsolation = Extract<ParsedPattern, { use: 'isolation' }>['options']

/** @internal */
export interface Project extends AppInfo {
  from: string
  /** Options of the isolation pattern, if `app.security.pattern` is that. */
  isolation: (Omit<ParsedIsolation, 'dir'> & { dir: URL }) | undefined
  plugins: Readonly<Record<string, unknown>>
  /** `app.security.capabilities`: inline capabilities, and identifiers of those in files. */
  capabilities: readonly (string | object)[]
  capabilityFiles: readonly CapabilitySource[]
  permissionFiles: readonly PermissionFileSource[]
  manifests: AclSource | undefined
  webview: WebviewConfig
}

/** @internal @param hosts - directories of the host's code, where packages can be installed in addition to the project's */
export async function readProject(url: URL, hosts: readonly string[] = []): Promise<Project> {
  const { path, from, value } = await readConfig(await findConfig(fileURLToPath(url)))
  const directory = dirname(path)
  checkNearMisses(from, value)
  const config = check(from, configSchema, value, () => PATTERN_PLACES)
  const { app, plugins = {}, version, identifier } = config
  const { pattern, capabilities = [] } = app?.security ?? {}
  const ownManifests = await readManifests(directory)
  return {
    from,
    productName: config.productName ?? config['product-name'] ?? undefined,
    version: version == null ? undefined : await readVersion(from, directory, version),
    identifier: identifier ?? undefined,
    isolation:
      pattern?.use === 'isolation'
        ? { ...pattern.options, dir: pathToFileURL(resolve(directory, pattern.options.dir)) }
        : undefined,
    plugins,
    capabilities,
    capabilityFiles: await readDirectory(join(directory, 'capabilities')),
    permissionFiles: await readPermissions(join(directory, 'permissions'), ownManifests),
    manifests: ownManifests ?? (await loadOfficialManifests([directory, ...hosts])),
    webview: toWebviewConfig(directory, app),
  }
}

function toWebviewConfig(directory: string, app: ParsedApp): WebviewConfig {
  const { security = {} } = app ?? {}
  const csp = security.csp ?? undefined
  const assets = security.assetProtocol ?? security['asset-protocol']
  const scope = assets?.scope ?? []
  return {
    directory,
    withGlobalTauri: app?.withGlobalTauri ?? app?.['with-global-tauri'] ?? false,
    csp,
    devCsp: security.devCsp ?? security['dev-csp'] ?? csp,
    keptDirectives:
      security.dangerousDisableAssetCspModification ?? security['dangerous-disable-asset-csp-modification'] ?? false,
    assets: assets?.enable ? ('at' in scope ? { allow: scope } : scope) : undefined,
  }
}

async function findConfig(path: string): Promise<string> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new BusError('InvalidParams', `createBus: config: there is no file or directory ${path}`, { cause })
  })
  const names = CONFIG_NAMES.join(', ')
  if (found.isDirectory()) {
    const name = CONFIG_NAMES.find(each => existsSync(join(path, each)))
    if (name) return join(path, name)
    const text = `there is no ${names} in ${path}. Pass the directory of a Tauri project`
    throw new BusError('InvalidParams', `createBus: config: ${text}`)
  }
  if (CONFIG_NAMES.includes(basename(path))) return path
  throw new BusError('InvalidParams', `createBus: config must be a directory, or one of ${names}: got ${path}`)
}

/** Reads the configuration and merges the platform's file into it, as Tauri does. `from` names that file too. */
async function readConfig(path: string): Promise<AclSource & { path: string }> {
  const platform = getPlatform(process.platform).toLowerCase()
  const names = [`tauri.${platform}.conf.json`, `tauri.${platform}.conf.json5`, `Tauri.${platform}.toml`]
  const name = names.find(each => existsSync(join(dirname(path), each)))
  const common = await readConfigFile(path)
  if (!name) return { path, from: path, value: common }
  const value = mergePatch(common, await readConfigFile(join(dirname(path), name)))
  return { path, from: `${path} with ${name}`, value }
}

/**
 * Refuses a key that resembles one that is read, while others are ignored. A misspelt key would leave the program without its
 * capabilities or isolation.
 *
 * @throws {BusError} InvalidParams, also for a configuration of Tauri 1, whose keys are all different
 */
function checkNearMisses(from: string, config: unknown): void {
  const old = ['tauri', 'package'].find(name => Object.hasOwn(Object(config), name))
  if (old !== undefined) {
    const text = `${JSON.stringify(old)} belongs to Tauri 1, and would be ignored. Run \`tauri migrate\` to convert it to Tauri 2`
    throw new BusError('InvalidParams', `${from}: ${text}`)
  }
  for (const [key, place] of Object.entries(MISPLACED)) {
    if (Object.hasOwn(Object(config), key)) {
      throw createUnknownOptionError(from, key, `: it belongs at ${place}`)
    }
  }
  for (const [place, names] of Object.entries(CONFIG_KEYS)) {
    const path = place === '' ? [] : place.split('.')
    const section = path.reduce((value, key) => Object(value[key]) as Record<string, unknown>, Object(config))
    for (const key of Object.keys(section)) {
      const hint = names.includes(key) ? '' : didYouMean(key, names)
      if (hint !== '') throw createUnknownOptionError(from, [...path, key].join('.'), hint)
    }
  }
}

async function readManifests(directory: string): Promise<AclSource | undefined> {
  const from = join(directory, 'gen/schemas/acl-manifests.json')
  return existsSync(from) ? { value: await readConfigFile(from), from } : undefined
}

/** Reads the app's permissions. Those in a directory with the name of a plugin in the manifests belong to that plugin. */
async function readPermissions(directory: string, manifests: AclSource | undefined): Promise<PermissionFileSource[]> {
  const plugins = new Set(Object.keys(manifests?.value ?? {}))
  const sources = await readDirectory(directory)
  return sources.map(source => {
    const [first = ''] = relative(directory, source.from).split(sep)
    return { ...source, plugin: plugins.has(first) ? first : undefined }
  })
}

const VERSION = /^\d+\.\d+\.\d+(-[\w.-]+)?(\+[\w.-]+)?$/

/** Returns a version that is given itself, or by the path of a package.json. */
async function readVersion(from: string, directory: string, version: string): Promise<string> {
  if (VERSION.test(version)) return version
  const path = resolve(directory, version)
  if (!existsSync(path)) {
    const text = `version must be as 1.2.3, or the path of a package.json: got ${JSON.stringify(version)}`
    throw new BusError('InvalidParams', `${from}: ${text}`)
  }
  const content = (await readConfigFile(path)) as { version?: unknown } | null
  const found = content?.version
  if (typeof found === 'string' && VERSION.test(found)) return found
  throw new BusError('InvalidParams', `${path}: version must be as 1.2.3: got ${JSON.stringify(found)}`)
}

const PACKAGE = '@sallyport/tauri-plugins'

/** @param directories - where to look for the package, as Node does: there and in all directories above */
async function loadOfficialManifests(directories: readonly string[]): Promise<AclSource | undefined> {
  const path = directories.map(findPackage).find(each => each !== undefined)
  if (path === undefined) return undefined
  const from = `${PACKAGE}/internal/acl`
  const { href } = pathToFileURL(createRequire(path).resolve(from))
  const { default: importByNode }: ImportByNode = await import(
    /* webpackIgnore: true */ /* @vite-ignore */ IMPORT_BY_NODE
  )
  return { value: (await importByNode(href)).createManifests(), from }
}

/** Vite replaces each `import` of a package that is linked; in a test with jsdom, it then finds no file outside of the test's own project. */
const IMPORT_BY_NODE = 'data:text/javascript,export default url => import(url)'
interface ImportByNode {
  default(url: string): Promise<{ createManifests(): unknown }>
}

/** Returns the path of the package.json. Not by `require.resolve` alone, which also finds packages of NODE_PATH. */
function findPackage(directory: string): string | undefined {
  const path = join(directory, 'node_modules', PACKAGE, 'package.json')
  if (existsSync(path)) return path
  const parent = dirname(directory)
  return parent === directory ? undefined : findPackage(parent)
}

const EXTENSIONS = ['.json', '.json5', '.toml']
/** Tauri writes JSON schemas into a directory of this name. */
const SCHEMAS = 'schemas'

/** @throws {BusError} InvalidParams, with the path, line and column of a syntax error */
async function readConfigFile(path: string): Promise<unknown> {
  const bytes = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    throw new BusError('InvalidParams', `createBus: ${path} cannot be read: ${cause.code}`, { cause })
  })
  if (!isUtf8(bytes)) throw new BusError('InvalidParams', `${path} must be UTF-8`)
  const text = decodeText(bytes)
  const isToml = path.endsWith('.toml')
  try {
    return isToml ? parseToml(text) : parseJson(text)
  } catch (cause) {
    const [line, column, problem] = isToml ? readTomlError(cause) : readJson5Error(cause)
    const format = isToml ? 'TOML' : path.endsWith('5') ? 'JSON5' : 'JSON'
    throw new BusError('InvalidParams', `${path}:${line}:${column}: not ${format}: ${problem}`, { cause })
  }
}

/** Tries `JSON.parse` first: it is many times faster, and manifests are large. Its errors have no line. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return JSON5.parse(text)
  }
}

type Mistake = [line: number, column: number, text: string]

function readJson5Error(error: unknown): Mistake {
  const { lineNumber, columnNumber, message } = error as { lineNumber: number; columnNumber: number; message: string }
  return [lineNumber, Math.max(1, columnNumber), message.replace(/^JSON5: | at \d+:\d+$/g, '')]
}

function readTomlError(error: unknown): Mistake {
  if (!(error instanceof TomlError)) throw error
  return [error.line, error.column, error.message.split('\n', 1)[0]!.replace('Invalid TOML document: ', '')]
}

export async function readFileOrDirectory(what: string, url: URL): Promise<AclSource[]> {
  const path = fileURLToPath(url)
  const found = await stat(path).catch((cause: unknown) => {
    throw new BusError('InvalidParams', `${what}: there is no file or directory ${path}`, { cause })
  })
  if (found.isDirectory()) return readDirectory(path)
  if (!EXTENSIONS.includes(extname(path))) {
    throw new BusError('InvalidParams', `${what}: ${path} must have the extension ${EXTENSIONS.join(', ')}`)
  }
  return [await readSource(path)]
}

/** Reads every file in a directory and those below, in the order of their paths; nothing if the directory does not exist. */
async function readDirectory(directory: string): Promise<AclSource[]> {
  const paths = await listFiles(directory, new Set())
  return Promise.all(paths.toSorted().map(readSource))
}

/**
 * Follows links, as Tauri does: a capability that is not read would deny nothing.
 *
 * @param visited - real paths of directories, to end at a link to a directory above
 */
async function listFiles(directory: string, visited: Set<string>): Promise<string[]> {
  const real = await realpath(directory).catch(() => directory)
  if (visited.has(real)) return []
  visited.add(real)
  const entries = await readdir(directory, { withFileTypes: true }).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return []
    throw new BusError('InvalidParams', `createBus: ${directory} cannot be read: ${cause.code}`, { cause })
  })
  const paths = entries.map(async (entry): Promise<string[]> => {
    const path = join(directory, entry.name)
    const isConfig = EXTENSIONS.includes(extname(path)) && basename(directory) !== SCHEMAS
    const target = entry.isSymbolicLink() ? await stat(path).catch(() => undefined) : entry
    if (target?.isDirectory()) return listFiles(path, visited)
    // A broken link is listed too: reading it fails with an error that names it.
    return isConfig && (target?.isFile() ?? true) ? [path] : []
  })
  return (await Promise.all(paths)).flat()
}

const readSource = async (path: string): Promise<AclSource> => ({ value: await readConfigFile(path), from: path })

/** Returns the target with a JSON Merge Patch (RFC 7396) applied, as Tauri merges configurations. Neither value is changed. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isTable(patch)) return patch
  const merged = new Map(Object.entries(isTable(target) ? target : {}))
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name)
    else merged.set(name, mergePatch(merged.get(name), value))
  }
  return Object.fromEntries(merged)
}

/** TOML has dates. */
const isTable = (value: unknown): value is object => isObject(value) && !(value instanceof Date)
