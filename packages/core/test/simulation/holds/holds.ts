// Holds places of a world: at any moment, and for any time. Nothing else happens to them.
import { Random } from '../../fuzz/random.js'
import type { Simulation } from '../simulation.js'
import type { Place } from '../virtual/place.js'

/** Milliseconds, as a power of ten: most holds are short, and one of a hundred takes more than an hour. */
const LONGEST = 7

interface Held {
  /** All places of the host's process. */
  readonly hostThreads: readonly Place[]
  /** All that live. */
  readonly places: readonly Place[]
}

export class Holds {
  /** Nothing is held while it is false. */
  areOn = true
  readonly #random: Random
  readonly #simulation: Simulation
  /** Steps from one hold to the next. */
  readonly #mean: number
  #next = 0

  constructor(seed: number, simulation: Simulation, world: Held) {
    const random = (this.#random = new Random(seed, 2))
    this.#simulation = simulation
    this.#mean = random.pick([30, 100, 300])
    this.#next = random.below(this.#mean)
    simulation.clock.onStep = () => {
      if (!this.areOn || this.#next-- > 0) return
      this.#next = random.below(2 * this.#mean)
      this.#hold(world)
    }
  }

  #hold({ hostThreads, places }: Held): void {
    const random = this.#random
    const { clock } = this.#simulation
    const until = clock.now + 10 ** (random.next() ** 2 * LONGEST)
    const living = hostThreads.filter(({ dead }) => !dead)
    const [what, held] = random.pick<() => [string, readonly Place[]]>([
      () => ['the machine', places],
      () => ['the host process', living],
      ...Array.from({ length: 6 }, () => () => pickOne(random.pick(places))),
    ])()
    this.#simulation.trace(() => `${what} is held until ${until.toFixed(3)}`)
    for (const place of held) {
      place.goesOn(clock.now, random.chance(0.5))
      place.stall(clock.now, until, random.chance(0.5))
    }
  }
}

const pickOne = (place: Place): [string, readonly Place[]] => [place.name, [place]]
