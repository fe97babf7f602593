// What a process takes that joins a bus whose core is elsewhere: of `createBus`, what frontends need. What is core's is refused by
// name, as nothing here would heed it.
import { BusError } from '@sallyport/protocol'
import type { CallLimits } from '../contract/control.js'
import { resolveFrontends, resolveIsolation } from '../host/options/resolve.js'
import { OPTION_PLACES, remoteHostOptions } from '../host/options/schema.js'
import type { BusOptions, CallsOptions, IsolationOptions, ResolvedOptions } from '../host/options/types.js'
import type { SupervisionOptions } from '../host/supervision/policy.js'
import type { WorkerMakers } from '../host/workers/spawn.js'
import { checkOptions } from '../shared/validate.js'

export type RemoteHostPattern =
  | { use: 'brownfield' }
  | { use: 'isolation'; options?: Omit<IsolationOptions, 'maxRecordAge'> }

/** Each as of `createBus`, for what runs in this process. */
export interface RemoteHostOptions extends Pick<BusOptions, 'frontends' | 'supervision' | 'log' | 'dev' | 'onConfirm'> {
  app?: {
    security?: {
      /** Must be the one of core: else it takes none of what is sent. Capabilities are core's. */
      pattern?: RemoteHostPattern
    }
  }
  calls?: Pick<CallsOptions, 'timeout'>
  workers?: Omit<WorkerMakers, 'core'>
}

type Shared = 'frontends' | 'pattern' | 'isolation' | 'onConfirm' | 'dev' | 'workers' | 'log'

export interface RemoteHostConfig extends Pick<ResolvedOptions, Shared> {
  supervision: SupervisionOptions | undefined
  calls: Pick<CallLimits, 'timeout'>
}

const OF_CORE = [
  ...['core', 'network', 'config', 'permissions', 'unknownPermissions', 'plugins'],
  ...['productName', 'version', 'identifier', 'workers.core', 'calls.slowAfter', 'calls.quotas'],
  ...['app.security.capabilities', 'app.security.pattern.options.maxRecordAge'],
]

/** @throws BusError `InvalidParams`, which names the option that is wrong, or that is core's */
export function resolveRemoteHost(where: string, given: RemoteHostOptions): RemoteHostConfig {
  for (const place of OF_CORE) {
    if (valueAt(given, place) === undefined) continue
    throw new BusError('InvalidParams', `${where}: ${place} is core’s: give it to createBus, where core runs`)
  }
  const options = checkOptions(where, remoteHostOptions, given, OPTION_PLACES)
  const pattern = options.app?.security?.pattern ?? { use: 'brownfield' }
  return {
    frontends: resolveFrontends(where, given, options),
    pattern: pattern.use,
    isolation: resolveIsolation(`${where}: app.security.pattern.options.dir`, pattern),
    supervision: options.supervision,
    calls: { timeout: options.calls.timeout },
    workers: given.workers ?? {},
    log: given.log,
    dev: options.dev,
    onConfirm: given.onConfirm,
  }
}

const valueAt = (given: unknown, place: string): unknown =>
  place
    .split('.')
    .reduce<unknown>((value, name) => (value as Record<string, unknown> | null | undefined)?.[name], given)
