// A Tauri project as a bus sees it: what its configuration says that is a bus's business, and the files beside it.
import { existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { BusError } from '@sallyport/protocol'
import type { AclSource, CapabilitySource, PermissionFileSource } from '../../acl/types.js'
import type { AppInfo } from '../../contract/control.js'
import { didYouMean } from '../../shared/suggest.js'
import { checkOptions } from '../../shared/validate.js'
import { mergePatch, readConfigFile, readFolder } from './config-files.js'
import { type CheckedConfig, type CheckedPattern, configParts, OPTION_PLACES } from './schema.js'

// Finds the configuration of a Tauri project, and lays the platform's own over it, as Tauri does.

const NAMES = ['tauri.conf.json', 'tauri.conf.json5', 'Tauri.toml']

const platformNames = (platform: string): string[] => [
  `tauri.${platform}.conf.json`,
  `tauri.${platform}.conf.json5`,
  `Tauri.${platform}.toml`,
]

export interface ConfigFile {
  /** Where it stands: what it names is beside it. */
  folder: string
  /** For error texts: its path, and the name of the platform's file where there is one. */
  from: string
  value: unknown
}

/** @throws BusError `InvalidParams` where there is none, or it can't be parsed */
async function readConfig(url: URL): Promise<ConfigFile> {
  const path = await find(fileURLToPath(url))
  const folder = dirname(path)
  const common = await readConfigFile(path)
  const own = platformNames(platformName()).find(name => existsSync(join(folder, name)))
  if (!own) return { folder, from: path, value: common }
  return { folder, from: `${path} with ${own}`, value: mergePatch(common, await readConfigFile(join(folder, own))) }
}

async function find(path: string): Promise<string> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new BusError('InvalidParams', `createBus: config: there is no file or folder ${path}`, { cause })
  })
  if (found.isDirectory()) {
    const name = NAMES.find(one => existsSync(join(path, one)))
    if (name) return join(path, name)
    throw new BusError('InvalidParams', `createBus: config: there is no ${NAMES.join(', ')} in ${path}`)
  }
  if (NAMES.includes(basename(path))) return path
  throw new BusError('InvalidParams', `createBus: config: ${path} is none of ${NAMES.join(', ')}, nor a folder`)
}

/** In Tauri's names of files, where macOS is in small letters. */
function platformName(): string {
  if (process.platform === 'darwin') return 'macos'
  if (process.platform === 'win32') return 'windows'
  return process.platform === 'android' ? 'android' : 'linux'
}

// Names in a tauri.conf.json that are no business of a bus are passed over. One that is nearly a name it reads is not: a
// typing error there would leave a program without its capabilities, or without its isolation.

/** What is read, by place. */
const READ: Readonly<Record<string, readonly string[]>> = {
  '': ['productName', 'product-name', 'version', 'identifier', 'app', 'plugins'],
  app: ['security'],
  'app.security': ['pattern', 'capabilities'],
}

/** @throws BusError `InvalidParams`, also for a configuration of Tauri's version 1, in which nothing would be found */
function checkNearMisses(from: string, config: unknown): void {
  for (const name of ['tauri', 'package']) {
    if (!Object.hasOwn(asObject(config), name)) continue
    throw new BusError(
      'InvalidParams',
      `${from}: ${JSON.stringify(name)} is of Tauri 1, and would be passed over: \`tauri migrate\` writes it for Tauri 2`,
    )
  }
  for (const [place, names] of Object.entries(READ)) {
    const steps = place === '' ? [] : place.split('.')
    const here = steps.reduce<unknown>((value, step) => asObject(value)[step], config)
    for (const given of Object.keys(asObject(here))) {
      if (names.includes(given)) continue
      const hint = didYouMean(given, names)
      if (hint === '') continue
      throw new BusError(
        'InvalidParams',
        `${from}: unknown option ${JSON.stringify([...steps, given].join('.'))}${hint}`,
      )
    }
  }
}

const asObject = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}

export interface Project extends AppInfo {
  /** The configuration file, for error texts. */
  from: string
  pattern: CheckedPattern<URL> | undefined
  plugins: Readonly<Record<string, unknown>>
  /** `app.security.capabilities`: some written there, and identifiers of some in files. */
  capabilities: readonly (string | object)[]
  capabilityFiles: readonly CapabilitySource[]
  permissionFiles: readonly PermissionFileSource[]
  manifests: AclSource | undefined
}

/** @throws BusError `InvalidParams`, which names the file and the place in it */
export async function readProject(url: URL): Promise<Project> {
  const { folder, from, value } = await readConfig(url)
  checkNearMisses(from, value)
  const { app, plugins = {}, version, identifier, ...names } = checkOptions(from, configParts, value, OPTION_PLACES)
  const productName = names.productName ?? names['product-name']
  const { pattern, capabilities = [] } = app?.security ?? {}
  const manifests = await readManifests(folder)
  return {
    from,
    pattern: pattern && beside(folder, pattern),
    plugins,
    capabilities,
    capabilityFiles: await readFolder(join(folder, 'capabilities')),
    permissionFiles: await readPermissions(join(folder, 'permissions'), manifests),
    manifests,
    ...(productName != null && { productName }),
    ...(version != null && { version: await readVersion(from, folder, version) }),
    ...(identifier != null && { identifier }),
  }
}

type ConfigPattern = NonNullable<NonNullable<NonNullable<CheckedConfig['app']>['security']>['pattern']>

function beside(folder: string, pattern: ConfigPattern): CheckedPattern<URL> {
  if (pattern.use === 'brownfield') return pattern
  const { dir, ...options } = pattern.options ?? {}
  return {
    use: 'isolation',
    options: { ...options, dir: dir === undefined ? dir : pathToFileURL(resolve(folder, dir)) },
  }
}

async function readManifests(folder: string): Promise<AclSource | undefined> {
  const from = join(folder, 'gen/schemas/acl-manifests.json')
  return existsSync(from) ? { value: await readConfigFile(from), from } : undefined
}

/** The app's own; but what stands in a folder with the name of a plugin that the manifests know is that plugin's. */
async function readPermissions(folder: string, manifests: AclSource | undefined): Promise<PermissionFileSource[]> {
  const plugins = new Set(Object.keys(manifests?.value ?? {}))
  const sources = await readFolder(folder)
  return sources.map(source => {
    const [first = ''] = relative(folder, source.from).split(sep)
    return { ...source, plugin: plugins.has(first) ? first : undefined }
  })
}

const VERSION = /^\d+\.\d+\.\d+(-[\w.-]+)?(\+[\w.-]+)?$/

/** A version, or the path of a package.json that has it. */
async function readVersion(from: string, folder: string, given: string): Promise<string> {
  if (VERSION.test(given)) return given
  const path = resolve(folder, given)
  if (!existsSync(path)) {
    throw new BusError(
      'InvalidParams',
      `${from}: version must be as 1.2.3, or the path of a package.json: got ${JSON.stringify(given)}`,
    )
  }
  const { version } = ((await readConfigFile(path)) ?? {}) as { version?: unknown }
  if (typeof version === 'string' && VERSION.test(version)) return version
  throw new BusError('InvalidParams', `${path}: version must be as 1.2.3: got ${JSON.stringify(version)}`)
}
