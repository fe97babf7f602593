// What `bus.stats` gives, from what has been counted so far.
import type { CoreThread } from './core-thread.js'
import type { Frontends } from './frontends.js'
import type { BusStats } from './stats.js'
import type { Teller } from './teller.js'

export interface StatsParts {
  core: CoreThread
  frontends: Frontends
  teller: Teller
}

/** @param marks whether the rates of the next are those since now */
export function readStats({ core, frontends, teller }: StatsParts, since: number, marks: boolean): BusStats {
  const host = core.traffic.take(core.isUp, marks)
  const each = frontends.takeStats(marks)
  const { network } = core
  const ofNetwork = network?.instances[network.instance]?.inFlight ?? 0
  const inFlight = Object.values(each).reduce((sum, frontend) => sum + frontend.inFlight, host.inFlight + ofNetwork)
  return {
    uptime: Math.round(performance.now() - since),
    core: { ...core.thread.stats, inFlight, slow: teller.slowCalls },
    host,
    frontends: each,
    ...(network && { network }),
  }
}
