// Core's events in one frontend: over one link all of them arrive from the first on, in order.
import type { Epoch } from './ask.js'
import type { Frontend } from '../frontend.js'
import type { Simulation } from '../simulation.js'

interface Tick {
  core: number
  index: number
}

export class Ticks {
  /** Number of the latest event over the latest link. */
  latest: Tick | undefined
  #epoch: Epoch | undefined
  /** Events dropped since then, as core reports. */
  #dropped = 0
  readonly #frontend: Frontend
  readonly #simulation: Simulation

  constructor(frontend: Frontend, simulation: Simulation) {
    this.#frontend = frontend
    this.#simulation = simulation
  }

  /** Pending reports of dropped events, which can be lost with a link. */
  listen(): void {
    const { client, place } = this.#frontend
    // Core knows this listener before the others, over each link.
    client
      .listen<{ count: number }>('sallyport://dropped', ({ payload }) => {
        this.#simulation.trace(() => `${place.name}: ${payload.count} events were dropped`)
        this.#dropped += payload.count
      })
      .then(() => this.#listen())
      .catch(() => place.dead || this.#simulation.clock.after(5, () => this.#frontend.closing || this.listen()))
  }

  #listen(): void {
    const { client, place } = this.#frontend
    client
      .listen<Tick>('tick', ({ payload }) => this.#receive(payload))
      .catch(() => place.dead || this.#simulation.clock.after(5, () => this.#frontend.closing || this.#listen()))
  }

  /** Listens for a while. Events must arrive in order, and none after the end. */
  async listenFor(time: number): Promise<void> {
    let latest: Tick | undefined
    let left = false
    const { client } = this.#frontend
    const unlisten = await client.listen<Tick>('tick', ({ payload }) => {
      if (left) this.#simulation.fault(`${this.#frontend.place.name} received ${payload.index} after it has left`)
      if (latest && payload.core === latest.core && payload.index <= latest.index) this.#gap(payload, latest)
      latest = payload
    })
    await this.#simulation.clock.sleep(time)
    left = true
    unlisten()
  }

  #receive(tick: Tick): void {
    const { epoch, place } = this.#frontend
    const { latest } = this
    if (tick.core !== epoch!.core)
      this.#simulation.fault(`${place.name} received core ${tick.core} over its link to core ${epoch!.core}`)
    if (latest && this.#epoch === epoch && tick.index !== latest.index + 1 + this.#dropped) this.#gap(tick, latest)
    this.#dropped = 0
    this.#epoch = epoch
    this.latest = tick
  }

  #gap({ index }: Tick, latest: Tick): void {
    this.#simulation.fault(
      `${this.#frontend.place.name} received event ${index} after ${latest.index}, ${this.#dropped} dropped`,
    )
  }
}
