// How workers end. The model knows which of them was ended, and why: the host reports each end once, with its true reason, and blames nobody else.
import type { Place } from '../virtual/place.js'
import type { Simulation } from '../simulation.js'

interface Death {
  readonly label: string
  readonly kind: Kind
  readonly why: string
  /** The host has to report it: it did not end the worker itself, and nobody waits for the start of it. */
  isDue: boolean
  wasReady: boolean
  reports: number
  readonly place: Place
}

export type Kind = 'core' | 'frontend' | 'gate'

const LOST_LINK = /^(?:it failed: )?The link between frontend "[^"]*" and core closed unexpectedly$/

export class Ends {
  readonly #simulation: Simulation
  readonly #deaths: Death[] = []
  readonly #untold: { label: string; place: Place }[] = []
  /** Labels whose links were cut while both ends lived. */
  readonly #cut = new Set<string>()

  readonly #ordered = new Set<string>()

  constructor(simulation: Simulation) {
    this.#simulation = simulation
  }

  /** The host has ended it, and has not waited until core took all that it had sent. */
  ordered(label: string): void {
    this.#ordered.add(label)
  }

  cut(label: string): void {
    this.#cut.add(label)
  }

  /** @param why - part of the reason that the host has to name */
  died(kind: Kind, label: string, why: string, place: Place): Death {
    const death = { kind, label, why, place, isDue: false, wasReady: false, reports: 0 }
    this.#deaths.push(death)
    return death
  }

  /** The host says that a worker has ended, or that `open` has failed for it. */
  reported(kind: Kind, label: string, { message }: Error): void {
    const deaths = this.#find(label, message).filter(death => death.kind === kind)
    const open = deaths.filter(({ reports }) => reports === 0)
    // Two can have the same reason, and only one of them be due.
    const death = open.find(({ isDue }) => isDue) ?? open[0] ?? deaths[0]
    if (death) death.reports++
    else if (!this.#isCut(label, message) && !this.#isUnsent(label, message))
      this.#simulation.fault(`${label} is blamed for what it has not done: ${message}`)
  }

  #isUnsent(label: string, why: string): boolean {
    return this.#ordered.has(label) && why.includes('before core had taken what it had sent')
  }

  /** A call, or a line of the log, names a reason. */
  named(label: string, why: string): void {
    if (this.#find(label, why).length === 0 && !this.#isCut(label, why) && !this.#isUnsent(label, why))
      this.#simulation.fault(`${label} is said to have ended for what has not happened: ${why}`)
  }

  /** A call to this code has failed without a reason. */
  untold(label: string, place: Place): void {
    this.#untold.push({ label, place })
  }

  checkAtRest(): void {
    for (const { label, place } of this.#untold) {
      const deaths = this.#deaths.filter(death => death.label === label)
      // Of code and a gate that both end, either can be first.
      const isDue = deaths.some(death => death.place === place && death.isDue && death.wasReady)
      if (isDue && deaths.every(({ kind }) => kind !== 'gate'))
        this.#simulation.fault(`a call is not told why ${place.name} has ended`)
    }
    for (const { kind, label, why, isDue, reports } of this.#deaths) {
      if (reports > 1) this.#simulation.fault(`the end of ${kind} ${label} is reported ${reports} times: ${why}`)
      if (isDue && reports === 0) this.#simulation.fault(`the end of ${kind} ${label} is not reported: ${why}`)
    }
  }

  #find(label: string, message: string): Death[] {
    return this.#deaths.filter(death => death.label === label && message.includes(death.why))
  }

  #isCut(label: string, message: string): boolean {
    return this.#cut.has(label) && LOST_LINK.test(message)
  }
}
