// How frontends come later, and what may end them all: the same for a host of core and for one that joins a bus.
import type { Client } from '@sallyport/frontend/client'
import { BusError } from '@sallyport/protocol'
import { checkFile } from './files.js'
import type { Frontends } from './frontends.js'
import type { ConnectionOptions, FrontendOptions } from './options.js'
import type { ModuleLocation } from './location.js'
import { frontendSupervision, resolveConnection, resolveFrontend, resolveLocation } from './resolve-options.js'
import type { SupervisionOptions } from './supervision.js'
import type { Supervisor } from './supervisor.js'

export interface OpeningParts {
  frontends: Frontends
  /** Of frontends that come later. */
  supervision: SupervisionOptions | undefined
}

/** Of a timer in Node, less the time that a thread is given to end. */
const MAX_TIMEOUT = 2 ** 31 - 1000

/**
 * @param where who asks, for error texts
 * @param check that the host is still there, once the options are known to be right
 */
export async function connectTo(
  where: string,
  { frontends, supervision }: OpeningParts,
  check: () => void,
  label: string,
  options: ConnectionOptions | undefined,
): Promise<Client> {
  const settings = resolveConnection(where, label, options)
  check()
  return frontends.connect(label, settings, frontendSupervision(supervision))
}

export interface Opening {
  label: string
  module: ModuleLocation
  options: FrontendOptions | undefined
}

/** As `connectTo`, for a worker: resolves once its module is on its way. */
export async function openIn(
  where: string,
  { frontends, supervision }: OpeningParts,
  check: () => void,
  { label, module, options }: Opening,
): Promise<void> {
  const settings = resolveFrontend(where, label, options, supervision)
  const url = resolveLocation(`${where}: module`, module)
  await checkFile(`${where}: module`, url)
  check()
  const { start } = await frontends.open(label, url, settings)
  start()
}

/** @throws BusError `Disconnected` */
export function checkRunning(what: string, { state }: Pick<Supervisor, 'state'>): void {
  if (state !== 'running') throw new BusError('Disconnected', `${what} is ${state}`, { data: { delivered: 'no' } })
}

/** @throws BusError `InvalidParams` */
export function checkCloseTimeout(where: string, timeout: unknown): void {
  if (typeof timeout === 'number' && timeout >= 0 && timeout <= MAX_TIMEOUT) return
  throw new BusError('InvalidParams', `${where}: timeout must be milliseconds from 0 to ${MAX_TIMEOUT}`)
}
