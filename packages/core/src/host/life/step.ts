// The table without xstate, for lives that are shorter than an actor of it takes (docs/adr/0039-scripts-in-quickjs.md). The check of the table
// holds both equal in every state.
import {
  CHANGES,
  CONDITIONS,
  createContext,
  type Effects,
  type LifeContext,
  type LifeEvent,
  type LifeInput,
} from './context.js'
import { type Condition, INITIAL, LIFE, type LifeState, type LifeValue, type Region, type Transition } from './table.js'

/** A life, by whatever it is executed. */
export interface Life {
  readonly value: Readonly<Partial<LifeValue>>
  readonly context: LifeContext
  /** What is sent by an effect follows after the current event. */
  send(event: LifeEvent): void
}

const REGIONS = Object.keys(LIFE) as Region[]
const START: LifeEvent = { type: 'start' }

const getImmediate = ({ always }: LifeState): LifeState['always'] => always

interface Step {
  readonly region: Region
  readonly transition: Transition
}

export class SteppedLife implements Life {
  readonly value: LifeValue = { ...INITIAL }
  readonly context: LifeContext
  readonly #queue: LifeEvent[] = []
  readonly #onSettled: () => void
  #isBusy = true

  /** @param onSettled - called after the effects of each event that was sent */
  constructor(input: LifeInput, onSettled: () => void = () => {}) {
    this.#onSettled = onSettled
    this.context = createContext(input)
    for (const region of REGIONS) this.#do(LIFE[region][this.value[region]]!.entry, START)
    this.#settle(START)
    this.#handleQueue()
  }

  send(event: LifeEvent): void {
    this.#queue.push(event)
    if (this.#isBusy) return
    this.#isBusy = true
    this.#handleQueue()
    this.#onSettled()
  }

  #handleQueue(): void {
    try {
      for (let event = this.#queue.shift(); event; event = this.#queue.shift()) {
        const { type } = event
        const steps = this.#find(event, ({ on }) => on?.[type])
        if (!steps) continue
        this.#take(steps, event)
        this.#settle(event)
      }
    } finally {
      // An effect that throws, as for want of memory, must not keep the life from its end.
      this.#isBusy = false
    }
  }

  #settle(event: LifeEvent): void {
    for (let steps = this.#find(event, getImmediate); steps; steps = this.#find(event, getImmediate))
      this.#take(steps, event)
  }

  #find(event: LifeEvent, getTransitions: (state: LifeState) => readonly Transition[] | undefined): Step[] | undefined {
    let steps: Step[] | undefined
    for (const region of REGIONS) {
      for (const transition of getTransitions(LIFE[region][this.value[region]]!) ?? []) {
        if (!this.#holds(transition.if, event)) continue
        ;(steps ??= []).push({ region, transition })
        break
      }
    }
    return steps
  }

  /** As xstate: first all exits, then the actions of all transitions, then all entries. */
  #take(steps: readonly Step[], event: LifeEvent): void {
    for (const { region, transition } of steps)
      if (transition.to) this.#do(LIFE[region][this.value[region]]!.exit, event)
    for (const { transition } of steps) this.#do(transition.do, event)
    for (const { region, transition } of steps) {
      if (!transition.to) continue
      this.value[region] = transition.to
      this.#do(LIFE[region][transition.to]!.entry, event)
    }
  }

  #do(actions: readonly string[] | undefined, event: LifeEvent): void {
    if (!actions) return
    for (const name of actions) {
      const change = CHANGES[name]
      if (change) Object.assign(this.context, change(this.context, event))
      else this.context.effects[name as keyof Effects]?.(this.context, event)
    }
  }

  #holds(condition: Condition | undefined, event: LifeEvent): boolean {
    if (condition === undefined) return true
    if (typeof condition === 'string') return CONDITIONS[condition]!(this.context, event)
    if ('not' in condition) return !this.#holds(condition.not, event)
    if ('all' in condition) {
      for (const each of condition.all) if (!this.#holds(each, event)) return false
      return true
    }
    return condition.states.includes(this.value[condition.region])
  }
}
