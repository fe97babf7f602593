// For the benchmark alone: what the cipher costs is seen by leaving it out. Nothing else may use this.
import { assemble } from './host/assemble.js'
import type { Bus } from './host/bus.js'
import type { BusOptions } from './host/options/types.js'

/** Like `createBus`, but in the isolation pattern hooks run and nothing is sealed. */
export function createBusWithoutCipher(options: BusOptions): Promise<Bus> {
  return assemble(options, false)
}
