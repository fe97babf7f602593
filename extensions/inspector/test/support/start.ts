// Starts buses for the tests, over the fixtures next to this directory, and ends them after each test.
import { createBus, type Bus, type BusOptions, type Capability } from '@sallyport/core'
import { afterTests } from '../../../../scripts/testing.js'

export const fixture = (name: string): URL => new URL(`../fixtures/${name}`, import.meta.url)

/** Returns a module with this source. */
export const at = (source: string): URL => new URL(`data:text/javascript,${encodeURIComponent(source)}`)

/** Short delays and many restarts: how many fall into a period is random on a busy machine. */
export const soon = { delay: { min: 20, max: 100 }, intensity: 1000 }

/** One that loops ends later than others of its script host miss a heartbeat. */
export const longestScript = { kind: 'quickjs', time: 5000 } as const
/** On a busy machine too, the limit of the longest script ends it before the watchdog does, which would restart its neighbours. */
export const patient = { heartbeat: 20_000 } as const

const open: Bus[] = []
afterTests.each.push(() => Promise.all(open.splice(0).map(bus => bus.close({ timeout: 0 }))))

export async function start(options: Partial<BusOptions> = {}): Promise<Bus> {
  const bus = await createBus({ core: fixture('core.mjs'), log: false, ...options })
  open.push(bus)
  return bus
}

/** The isolation pattern with a hook that rejects messages on request, and never counts as stuck, however busy the machine is. */
export const isolation = (capability: Capability): Partial<BusOptions> => ({
  isolation: { dir: fixture('hooks/judge/'), hookTimeout: 60_000 },
  capabilities: [capability],
})
