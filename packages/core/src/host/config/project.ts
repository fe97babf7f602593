// A Tauri project as a bus sees it: what its configuration says that is a bus's business, and the files beside it.
import { BusError } from '@sallyport/protocol'
import { existsSync } from 'node:fs'
import { join, relative, resolve, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { AclSource, CapabilitySource, PermissionFileSource } from '../../authority/acl.js'
import type { AppInfo } from '../../control.js'
import { check } from '../check.js'
import { OPTION_PLACES, configParts, type CheckedConfig, type CheckedPattern } from '../option-schemas.js'
import { readFolder } from './acl-files.js'
import { readConfig } from './find.js'
import { checkNearMisses } from './near-miss.js'
import { readConfigFile } from './parse.js'

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
  const { app, plugins = {}, version, identifier, ...names } = check(from, configParts, value, OPTION_PLACES)
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
