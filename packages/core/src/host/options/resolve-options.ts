// Checks the options of a bus or a remote host, and reads the files that they name, before anything starts.
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BusError, describeName } from '@sallyport/protocol/internal/errors'
import * as v from 'valibot'
import type { CoreDefinition } from '../../api/define.js'
import { checkDefinition } from '../../api/validate-definition.js'
import type { AppInfo } from '../../contract/host-core.js'
import { check } from '../../shared/validate.js'
import { Continuations } from '../continuations/continuations.js'
import { resolveSupervision } from '../life/policy.js'
import type { Project } from '../tauri-project/project.js'
import { createAclInput } from './acl-input.js'
import type { BusConfig, HostConfig } from './config.js'
import { getOptionPlaces, refuseBoth } from './option-places.js'
import { cloneData, toFrontendConfig } from './resolve-frontend.js'
import {
  type ParsedIsolation,
  type ParsedOptions,
  busSchema,
  isolationDefaults,
  labelSchema,
  type remoteHostSchema,
  toDirectoryUrl,
} from './schema.js'
import type { BusOptions } from './types.js'

/** @throws {BusError} InvalidParams, which names the option or file, and the place in it */
export async function resolveOptions(input: BusOptions): Promise<BusConfig> {
  const options = check('createBus', busSchema, input, getOptionPlaces)
  const { network, startTimeout, inspect = getInspectVariable() } = options
  const { module: core, loadTimeout } = options.core
  if (!(core instanceof URL)) checkDefinition('createBus: core', core, ['module'])
  // Loaded here: without a configuration no bus needs its parsers.
  const read = options.config && (await import('../tauri-project/project.js')).readProject
  const project = options.config && (await read?.(options.config, getHosts(core), getOptionPlaces))
  return {
    ...(await resolveHost('createBus', input, options, project)),
    ...{ core, loadTimeout, startTimeout, inspect },
    continuations: new Continuations(options.runs.key, options.runs.claim),
    coreSupervision: resolveSupervision('permanent', options.supervision, options.core.supervision),
    acl: await createAclInput(options, project),
    appInfo: getAppInfo(options, project),
    resources: options.resources,
    webview: project?.webview,
    plugins: cloneData('createBus: pluginOptions', { ...project?.plugins, ...options.pluginOptions }),
    network: network && { ...network, options: cloneData('createBus: network.options', network.options) },
  }
}

/** @throws {BusError} InvalidParams for a value that is neither 1 nor 0 */
function getInspectVariable(): boolean {
  const { SALLYPORT_INSPECT: value = '' } = process.env
  if (value === '' || value === '0') return false
  if (value === '1') return true
  const text = `The variable SALLYPORT_INSPECT was ${describeName(value)}. Set it to 1 or 0`
  throw new BusError('InvalidParams', text)
}

/** Returns directories of the host's code: that of the core module, and that which the host was started in. */
function getHosts(core: URL | CoreDefinition): string[] {
  const isFile = core instanceof URL && core.protocol === 'file:'
  return [...(isFile ? [dirname(fileURLToPath(core))] : []), process.cwd()]
}

type ParsedHost = v.InferOutput<typeof remoteHostSchema>

/** @param input - the options as they were written: valibot omits some keys of a record */
export async function resolveHost(
  where: string,
  input: Pick<BusOptions, 'frontends' | 'workers' | 'log' | 'onConfirm'>,
  options: ParsedHost,
  project?: Project,
): Promise<HostConfig> {
  const { codec, supervision, calls, dev, frontends = {} } = options
  for (const label of Object.keys(input.frontends ?? {})) {
    if (!Object.hasOwn(frontends, label)) check(`${where}: its label`, labelSchema, label)
  }
  return {
    ...{ codec, supervision, calls, dev, log: input.log, onConfirm: input.onConfirm, workers: input.workers ?? {} },
    frontends: await Promise.all(
      Object.entries(frontends).map(async ([label, { module, ...frontend }]) => ({
        ...(await toFrontendConfig(`${where}: frontends.${label}.`, frontend, { codec, supervision }, module.text)),
        label,
        module: module.url,
      })),
    ),
    ...resolvePattern(where, options, project),
  }
}

function resolvePattern(
  where: string,
  { isolation: options, app }: ParsedHost,
  project: Project | undefined,
): Pick<HostConfig, 'pattern' | 'isolation'> {
  const place = 'app.security.pattern'
  const nested = app?.security?.pattern
  refuseBoth(where, { isolation: options, [place]: nested })
  const pattern = nested ?? project?.pattern
  const chosen: ParsedIsolation | undefined = options ?? (pattern?.use === 'isolation' ? pattern.options : undefined)
  const { dir, ...isolation } = chosen ?? isolationDefaults
  const from = nested || !project ? where : project.from
  return {
    pattern: chosen ? 'isolation' : 'brownfield',
    isolation: {
      ...isolation,
      dir: dir && toDirectoryUrl(dir),
      from: options ? `${where}: isolation.dir` : `${from}: ${place}.options.dir`,
    },
  }
}

function getAppInfo(...sources: (Pick<ParsedOptions, keyof AppInfo> | undefined)[]): AppInfo {
  const info: AppInfo = {}
  for (const name of ['productName', 'version', 'identifier'] as const) {
    const value = sources.map(source => source?.[name]).find(each => each != null)
    if (value != null) info[name] = value
  }
  return info
}
