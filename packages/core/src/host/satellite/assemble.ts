// Puts together what joins a bus without a core of its own: the frontends and gates of any bus, and core as the network has it.
import { EventEmitter } from 'node:events'
import { checkFiles } from '../files.js'
import { Frontends } from '../frontends.js'
import { createHostLog } from '../log.js'
import { createSupervisor } from '../supervisor.js'
import { Teller } from '../teller.js'
import { warnOfNoHook } from '../warn-of-no-hook.js'
import { createWatchdog } from '../watchdog.js'
import type { FarCore } from './far-core.js'
import { RemoteCore } from './remote-core.js'
import { resolveSatellite, type SatelliteOptions } from './satellite-options.js'
import { Satellite, type SatelliteParts } from './satellite.js'

/** How it is spoken of in error texts. */
export interface SatelliteNames {
  /** The function that makes it. */
  where: string
  /** What that gives. */
  name: string
}

/** @param timeout milliseconds for the first link of a frontend */
export async function assemble(
  given: SatelliteOptions,
  far: FarCore,
  { where, name }: SatelliteNames,
  timeout: number,
): Promise<Satellite> {
  const options = resolveSatellite(where, given)
  await checkFiles(where, options)
  const log = createHostLog(options.log, options.dev)
  const supervisor = createSupervisor()
  const events = new EventEmitter()
  const teller = new Teller(log, events)
  const host = {
    log,
    teller,
    attached: (label: string, link: number): void => frontends.attached(label, link),
    refused: (label: string, link: number, error: Error): void => frontends.refused(label, link, error),
    lost: (label: string, link: number): void => frontends.lost(label, link),
    closed: (label: string, link: number): void => frontends.closed(label, link),
    broken: (label: string, link: number, error: Error): void => frontends.broken(label, link, error),
  }
  const core = new RemoteCore(far, host, timeout)
  const watchdog = createWatchdog(options.isolation.hookTimeout)
  const frontends = new Frontends({ supervisor, options, core, cipher: true, watchdog, log, teller })
  warnOfNoHook(options, log)
  const { supervision } = options
  const parts: SatelliteParts = { name, supervisor, core, frontends, events, teller, supervision }
  const satellite = new Satellite(parts)
  try {
    const opened = await Promise.all(
      options.frontends.map(({ label, module, ...settings }) =>
        core.within(label, () => frontends.open(label, module, settings)),
      ),
    )
    supervisor.signal('core.ready')
    if (options.dev) {
      const { startDevMode } = await import('../dev/dev-mode.js')
      parts.dev = await startDevMode({ options, frontends, log, reload: label => satellite.reload(label) })
    }
    setImmediate(() => opened.forEach(({ start }) => start()))
    return satellite
  } catch (error) {
    await satellite.close()
    throw error
  }
}
