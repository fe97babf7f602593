// The host of a process whose core is elsewhere: it runs frontends, their gates, and connections of its own thread.
import { BusError } from '@sallyport/protocol/internal/errors'
import type { CallsOptions } from '../contract/host-core.js'
import type { ModuleLocation } from '../shared/locations.js'
import { check } from '../shared/validate.js'
import { Host } from './host.js'
import { checkFiles } from '../options/check-files.js'
import type { HostConfig } from '../life/frontends/config.js'
import { resolveHost } from '../options/resolve-options.js'
import { getOptionPlaces, remoteHostSchema } from '../options/schema.js'
import type { BusOptions, ConnectionOptions, FrontendOptions, RemoteHostOptions } from '../options/types.js'
import type { BusEvents, BusReporter } from '../life/reporting/events.js'
import type { HostLog } from '../life/reporting/log.js'
import type { JoinedStats } from '../life/reporting/stats.js'
import type { CoreEndpoint, PooledSession, PoolMember } from '../life/frontends/types.js'
import type { WorkerFactories } from '../life/workers/spawn.js'

/** How error texts name the remote host. */
export interface RemoteHostNames {
  /** The function that creates it. */
  where: string
  /** Name of the handle: `joined`. */
  name: string
  /** `The joined bus`. */
  subject: string
}

/** A core in another process, which ends with its frontends. */
export interface RemoteEndpoint extends CoreEndpoint {
  close(exited: Promise<void>, timeout: number): Promise<void>
}

/** The end of a frontend's links. */
export interface RemoteFrontend {
  attached(link: number): void
  linkEnded(link: number): void
  rejected(link: number, error: Error): void
  sessionEnded(link: number): void
  violated(link: number, error: Error): void
}

/** What core in another process uses of its host. */
export interface RemoteServices {
  readonly log: HostLog
  readonly reporter: BusReporter
}

/**
 * What a network uses of its host. Programs compile against this interface, and not against `Host`: that also names the resolved options, whose
 * declarations import valibot, which is not installed with core.
 */
export interface RemoteHost<Core> {
  readonly core: Core
  readonly reporter: BusReporter
  readonly uptime: number
  readonly frontends: {
    readonly stats: Record<string, JoinedStats>
    closeAll(): Promise<void>
  }
  connect(label: string, options?: ConnectionOptions, member?: PoolMember): Promise<PooledSession>
  open(label: string, module: ModuleLocation, options?: FrontendOptions): Promise<void>
  closeFrontend(label: string, options?: { timeout?: number }): Promise<void>
  reload(label: string): Promise<void>
  on<Name extends keyof BusEvents>(
    name: Name,
    handler: (event: BusEvents[Name]) => void,
    names?: ReadonlySet<string>,
  ): () => void
  close(options: { timeout?: number } | undefined, stop: (timeout: number) => Promise<void>): Promise<void>
}

export type CreateRemoteCore<Core> = (services: RemoteServices, frontends: ReadonlyMap<number, RemoteFrontend>) => Core

export async function startRemoteHost<Core extends RemoteEndpoint>(
  input: RemoteHostOptions,
  names: RemoteHostNames,
  createCore: CreateRemoteCore<Core>,
): Promise<RemoteHost<Core>> {
  const config = await resolveRemoteHost(names.where, input)
  await checkFiles(names.where, config)
  const host = new Host(config, names, createCore)
  try {
    await host.start()
    return host
  } catch (error) {
    await host.close({ timeout: 0 }, left => host.core.close(host.frontends.closeAll(), left))
    throw error
  }
}

type CoreOption =
  | Exclude<keyof BusOptions, keyof RemoteHostOptions>
  | `calls.${Exclude<keyof CallsOptions, keyof NonNullable<RemoteHostOptions['calls']>>}`
  | `workers.${Exclude<keyof WorkerFactories, keyof NonNullable<RemoteHostOptions['workers']>>}`

/** Core's own options have no effect here, so they are refused by name. */
const CORE_OPTIONS: Readonly<Record<CoreOption, true>> = {
  ...{ core: true, network: true, config: true, capabilities: true, permissions: true, resources: true },
  ...{ runs: true, inspect: true, startTimeout: true, 'workers.core': true },
  ...{ 'calls.timeout': true, 'calls.slowAfter': true, 'calls.quotas': true },
}

/** @throws {BusError} InvalidParams, which names the option that is wrong or belongs to core */
export async function resolveRemoteHost(where: string, input: RemoteHostOptions): Promise<HostConfig> {
  for (const path of Object.keys(CORE_OPTIONS)) {
    if (getAtPath(input, path) === undefined) continue
    throw new BusError('InvalidParams', `${where}: ${path} belongs to core. Pass it to createBus, where core runs`)
  }
  const options = check(where, remoteHostSchema, input, getOptionPlaces)
  return resolveHost(where, input, options)
}

const getAtPath = (value: unknown, path: string): unknown =>
  path.split('.').reduce<unknown>((object, key) => (object as Record<string, unknown> | null | undefined)?.[key], value)
