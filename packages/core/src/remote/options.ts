// The options of a process that joins a bus whose core is elsewhere: those of `createBus` that frontends need. Core's own options
// are rejected by name, because they would have no effect here.
import { BusError } from '@sallyport/protocol/internal'
import type { HostConfig } from '../host/host-handle.js'
import { resolveFrontends, resolveIsolation } from '../host/options/resolve.js'
import { OPTION_PLACES, remoteHostSchema } from '../host/options/schema.js'
import type { BusOptions, CallsOptions, PatternOptions } from '../host/options/types.js'
import type { SupervisionOptions } from '../host/supervision/policy.js'
import type { WorkerMakers } from '../host/workers/spawn.js'
import { check } from '../shared/validate.js'

/** Options of `createBus` that apply to what runs in this process. */
export interface RemoteHostOptions extends Pick<
  BusOptions,
  'codec' | 'frontends' | 'supervision' | 'log' | 'dev' | 'onConfirm'
> {
  app?: {
    security?: {
      /** Must be core's own pattern, or core accepts nothing that is sent. Capabilities belong to core. */
      pattern?: PatternOptions
    }
  }
  calls?: Pick<CallsOptions, 'timeout'>
  workers?: Omit<WorkerMakers, 'core'>
}

export interface RemoteHostConfig extends HostConfig {
  supervision: SupervisionOptions | undefined
}

const CORE_OPTIONS = [
  ...['core', 'network', 'config', 'permissions', 'unknownPermissions', 'plugins'],
  ...['productName', 'version', 'identifier', 'workers.core', 'calls.slowAfter', 'calls.quotas'],
  'app.security.capabilities',
]

/** @throws {BusError} InvalidParams, which names the option that is wrong or belongs to core */
export function resolveRemoteHost(where: string, input: RemoteHostOptions): RemoteHostConfig {
  for (const path of CORE_OPTIONS) {
    if (getAtPath(input, path) === undefined) continue
    throw new BusError('InvalidParams', `${where}: ${path} belongs to core. Pass it to createBus, where core runs`)
  }
  const options = check(where, remoteHostSchema, input, OPTION_PLACES)
  const pattern = options.app?.security?.pattern
  return {
    codec: options.codec,
    frontends: resolveFrontends(where, input, options),
    pattern: pattern?.use ?? 'brownfield',
    isolation: resolveIsolation(`${where}: app.security.pattern.options.dir`, pattern),
    supervision: options.supervision,
    calls: { timeout: options.calls.timeout },
    workers: input.workers ?? {},
    log: input.log,
    dev: options.dev,
    onConfirm: input.onConfirm,
  }
}

const getAtPath = (value: unknown, path: string): unknown =>
  path.split('.').reduce<unknown>((object, key) => (object as Record<string, unknown> | null | undefined)?.[key], value)
