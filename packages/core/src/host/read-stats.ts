// The figures of `bus.stats()`, from the parts of a host.
import type { Host } from './host.js'
import type { LocalCore } from './local-core.js'
import type { BusStats } from './reporting/stats.js'

/** @param resetRates - true to measure the next rates from now on */
export function readStats(
  { core, frontends: opened, processes, reporter, uptime }: Host<LocalCore>,
  resetRates: boolean,
): BusStats {
  const host = core.traffic.snapshot(core.isUp, resetRates)
  const frontends = opened.takeStats(resetRates)
  const { network } = core
  const inNetwork = network?.instances[network.instance]?.inFlight ?? 0
  const inFlight = Object.values(frontends).reduce((sum, stats) => sum + stats.inFlight, host.inFlight + inNetwork)
  return {
    uptime,
    core: { ...core.worker.stats, inFlight, slow: reporter.slowCalls },
    host,
    frontends,
    spares: processes.pool?.count ?? 0,
    ...(network && { network }),
  }
}
