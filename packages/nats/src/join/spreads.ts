// The connections of a joined process that are spread over all instances: each has its lanes, and one look-out finds instances
// for all of them.
import { endClient, type Client } from '@sallyport/frontend/client'
import type { Satellite } from '@sallyport/core/network'
import type { ConnectionOptions } from '@sallyport/core'
import { BusError } from '@sallyport/protocol'
import type { Far } from './far.js'
import type { Discovery } from './discovery.js'
import type { OpenedSession } from './opening.js'
import { Spread } from './spread.js'

export interface SpreadsParts {
  satellite: Satellite
  far: Far
  discovery: Discovery
  isUp(): boolean
}

/** Of one connection: more are for a bus that is sharded. */
const MAX_LANES = 16

export class Spreads {
  readonly #parts: SpreadsParts
  readonly #clients = new Map<string, Promise<Client>>()

  constructor(parts: SpreadsParts) {
    this.#parts = parts
  }

  has(label: string): boolean {
    return this.#clients.has(label)
  }

  /** @throws BusError as `Satellite.connect` */
  connect(label: string, options: ConnectionOptions): Promise<Client> {
    const connecting = this.#connect(label, options, () => {
      if (this.#clients.get(label) === connecting) this.#clients.delete(label)
    })
    this.#clients.set(label, connecting)
    return connecting
  }

  /** False where there is none. */
  async close(label: string): Promise<boolean> {
    const client = this.#clients.get(label)
    await (await client)?.close()
    return client !== undefined
  }

  /** Closes those that are there. What is still on its way ends with the satellite. */
  async closeAll(): Promise<void> {
    const there = async (connecting: Promise<Client>): Promise<void> =>
      (await Promise.race([connecting, Promise.resolve(undefined)]))?.close()
    await Promise.allSettled([...this.#clients.values()].map(there))
  }

  async #connect(label: string, options: ConnectionOptions, gone: () => void): Promise<Client> {
    const { satellite, far, discovery, isUp } = this.#parts
    let client: Client | undefined
    const spread: Spread<OpenedSession> = new Spread(label, {
      max: MAX_LANES,
      isUp,
      open: (instance, signal) => far.ask({ label, codec: options.codec ?? 'json', instance, signal }),
      async add(name) {
        const forget = far.spread(name, spread)
        try {
          const lane = await satellite.addLane({ label, name, client, options })
          client = lane.client
          void lane.gone.then(() => {
            forget()
            // Its instance may be there again soon, or another in its place.
            discovery.ask()
          })
          return lane
        } catch (error) {
          forget()
          throw error
        }
      },
      end: error => client && endClient(client, error as BusError | undefined),
    })
    try {
      await spread.begin()
    } catch (error) {
      gone()
      throw error
    }
    const unwatch = discovery.watch(instance => void spread.found(instance))
    void client!.closed.then(() => {
      unwatch()
      spread.close()
      gone()
    })
    return client!
  }
}
