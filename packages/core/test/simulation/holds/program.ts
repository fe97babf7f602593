// What the user of a bus does in a seed of holds: everything with an outcome that no deadline and no race of the user decides. What depends on something
// else follows it.
import { Random } from '../../fuzz/random.js'
import { call, emit } from '../calls.js'
import { Frontend } from '../frontend.js'
import type { Step } from '../model/ask.js'
import { type HeldWorld, LABELS } from './held-world.js'

const CALLS = [
  'now',
  'later',
  'wait',
  'fails',
  'bytes',
  'feed',
  'values',
  'upload',
  'shout',
  'relay',
  'missing',
  'denied',
]

export class Program {
  readonly #world: HeldWorld
  readonly #seed: number
  readonly #random: Random
  #steps = 0
  /** How many actions are left. */
  #left: number

  constructor(world: HeldWorld, seed: number, random: Random, most: number) {
    this.#world = world
    this.#seed = seed
    this.#random = random
    this.#left = Math.min(most, 5 + random.few(60))
  }

  /** Opens frontends, and has several things done at once in each of them, several times. */
  async work(): Promise<void> {
    const world = this.#world
    const labels = LABELS.slice(0, 1 + this.#random.below(LABELS.length))
    for (const label of labels) world.frontends.push(new Frontend(world, label, this.#random.pick(['json', 'msgpack'])))
    await Promise.all(labels.map(label => this.#open(label, this.#name(`the opening of ${label}`))))
    while (this.#left-- > 0) await Promise.all([...labels.map(label => this.#use(label)), this.#runCodes()])
  }

  /** Closes the bus while calls run. */
  async close(): Promise<void> {
    const world = this.#world
    // A process reads an answer in parts, of which the order to stop can overtake some.
    const callers = world.frontends.filter(({ label }) => world.getKind(label) !== 'process')
    const steps = callers.map(() => this.#step('a call at the end'))
    const calls = callers.map((frontend, at) =>
      world.at(frontend.thread, () => call(world, frontend, 'later', steps[at])),
    )
    await Promise.all(steps.map(({ name }) => world.simulation.outcomes!.whenRun(name!)))
    await world.order('the close of the bus', () => world.closeBus())
    await Promise.all(calls)
  }

  /** Calls end before their frontend is closed or reloaded, and events do not. */
  async #use(label: string): Promise<void> {
    const world = this.#world
    const random = this.#random
    const kinds = this.#take(8, () => random.pick(CALLS))
    const own = this.#take(4, () => this.#step(`core's call of ${label}`))
    const events = this.#take(6, () => this.#step(`an event of ${label}`))
    const end = random.pick(['none', 'none', 'close', 'reload'])
    const steps = kinds.map(kind => this.#step(`${kind} of ${label}`))
    const [ending, opening] = [this.#name(`the ${end} of ${label}`), this.#name(`the opening of ${label} again`)]
    const { thread } = this.#get(label)
    const calls = world.at(thread, () =>
      Promise.all(kinds.map((kind, at) => call(world, this.#get(label), kind, steps[at]))),
    )
    const ownCalls = world.at(world.corePlace, () => Promise.all(own.map(step => world.callFrontend(label, step))))
    await Promise.all([calls, ownCalls])
    await world.at(thread, () => events.forEach(step => emit(world, this.#get(label), step)))
    if (end === 'close') {
      await world.order(ending, () => world.closeLabel(label))
      await this.#open(label, opening)
    } else if (end === 'reload') await world.order(ending, () => world.reloadLabel(label))
  }

  async #runCodes(): Promise<void> {
    const isScript = this.#random.chance(0.7)
    const steps = this.#take(12, () => this.#step(isScript ? 'a run' : 'a run in a process'))
    await Promise.all(steps.map(step => this.#world.runCode(step, isScript)))
  }

  #open(label: string, name: string): Promise<void> {
    return this.#world.order(name, () => this.#world.openLabel(label))
  }

  #take<T>(most: number, create: () => T): T[] {
    const count = Math.min(Math.max(0, this.#left), this.#random.below(most + 1))
    this.#left -= count
    return Array.from({ length: count }, create)
  }

  #get(label: string): Frontend {
    return this.#world.frontends.find(frontend => frontend.label === label)!
  }

  #name(what: string): string {
    return `${++this.#steps}, ${what}`
  }

  #step(what: string): Step {
    const name = this.#name(what)
    return { name, random: new Random(this.#seed, 100 + this.#steps) }
  }
}
