// Checks the options of one frontend or connection.
import { isDeepStrictEqual } from 'node:util'
import { type ModuleText, deserializeValue, serializeValue } from '@sallyport/protocol/internal/contract'
import { BusError, describeThrown } from '@sallyport/protocol/internal/errors'
import { checkPlain } from '../acl/schema.js'
import type { AllowList } from '../acl/types.js'
import { check } from '../shared/validate.js'
import {
  NAMED_MODULE_KINDS,
  TRUSTED_KINDS,
  UNTRUSTED_KINDS,
  hasNamedModules,
  isTrusted,
  resolveSandbox,
} from '../life/sandboxes/kinds.js'
import { resolveSupervision } from '../life/policy.js'
import type { SharedThreads } from '../life/workers/shared-threads.js'
import type { ConnectionConfig, FrontendConfig, FrontendDefaults } from '../life/frontends/config.js'
import { connectionSchema, frontendSchema, getOptionPlaces, labelSchema } from './schema.js'
import type { ParsedFrontend } from './schema.js'
import type { ConnectionOptions, FrontendOptions } from './types.js'

export async function resolveFrontend(
  where: string,
  label: string,
  options: FrontendOptions = {},
  { text, ...host }: FrontendDefaults & { text?: ModuleText | undefined; threads: SharedThreads },
): Promise<FrontendConfig> {
  check(`${where}: its label`, labelSchema, label)
  return toFrontendConfig(`${where}: `, check(where, frontendSchema, options, getOptionPlaces), host, text)
}

export function resolveConnection(
  where: string,
  label: string,
  options: ConnectionOptions = {},
  { codec, supervision }: FrontendDefaults,
): ConnectionConfig {
  check(`${where}: its label`, labelSchema, label)
  const { data, allow, ...config } = check(where, connectionSchema, options, getOptionPlaces)
  return {
    ...config,
    allow: toAllowList(`${where}: allow`, allow),
    isTrusted: true,
    codec,
    supervision: resolveSupervision('transient', supervision),
    data: cloneData(`${where}: data`, data),
  }
}

/** @param place - the place of the frontend's options, for error texts */
export async function toFrontendConfig(
  place: string,
  { data, supervision, allow, ...options }: ParsedFrontend,
  { threads, ...defaults }: FrontendDefaults & { threads?: SharedThreads },
  text?: ModuleText,
): Promise<FrontendConfig> {
  const hasTrust = isTrusted(options.sandbox)
  if (text && hasTrust) {
    const remedy = `Use ${UNTRUSTED_KINDS}, or a file for code that you trust`
    throw new BusError('InvalidParams', `${place}sandbox must not be ${TRUSTED_KINDS} for code as text. ${remedy}`)
  }
  if (text?.modules && !hasNamedModules(options.sandbox)) {
    const remedy = `Use ${NAMED_MODULE_KINDS}, or files in a directory`
    throw new BusError(
      'InvalidParams',
      `${place}modules cannot be loaded by sandbox ${JSON.stringify(options.sandbox.kind)}. ${remedy}`,
    )
  }
  // Copied first, because the host can change it meanwhile.
  const clone = cloneData(`${place}data`, data)
  const allowList = toAllowList(`${place}allow`, allow)
  const sandbox = await resolveSandbox(options.sandbox, `${place}sandbox`, threads, text !== undefined)
  return {
    ...options,
    sandbox,
    text,
    allow: allowList,
    isTrusted: hasTrust,
    codec: defaults.codec,
    supervision: resolveSupervision('transient', defaults.supervision, supervision),
    data: sandbox.hasProcess ? serializeData(`${place}data`, clone) : clone,
  }
}

export function toAllowList(from: string, entries: AllowList['entries'] | undefined): AllowList | undefined {
  // Checked before they are cloned for core, which changes some values.
  for (const [index, value] of entries?.entries() ?? []) checkPlain({ value, from: `${from}[${index}]` })
  return entries && { entries, from }
}

/** Copies the data, so that later changes by the host have no effect. */
export function cloneData<T>(what: string, data: T): T {
  try {
    return structuredClone(data)
  } catch (cause) {
    throw new BusError('InvalidParams', `${what} cannot be cloned: ${(cause as Error).message}`, { cause })
  }
}

/** Copies the data as it is sent to another process. */
function serializeData(what: string, data: unknown): unknown {
  try {
    const copy: unknown = deserializeValue(serializeValue(data))
    if (isDeepStrictEqual(copy, structuredClone(data))) return copy
    throw new TypeError('it contains an object of Node.js, which would arrive empty')
  } catch (cause) {
    const text = `${what} cannot be sent to another process: ${describeThrown(cause)}`
    throw new BusError('InvalidParams', text, { cause })
  }
}
