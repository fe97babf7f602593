// Virtual time. Timers, immediates and clocks of the bus are replaced while a simulation runs. Their events happen one by one, in
// an order that depends only on the seed. Between two events all promises and ticks settle.
import type { Place } from './place.js'

const real = {
  setTimeout: globalThis.setTimeout,
  clearTimeout: globalThis.clearTimeout,
  setImmediate: globalThis.setImmediate,
  clearImmediate: globalThis.clearImmediate,
  setInterval: globalThis.setInterval,
  performanceNow: performance.now,
  dateNow: Date.now,
}

/** More than any seed takes, in virtual time. */
const SEED_MS = 10_000_000
let starts = 0

/** Steps between two iterations of the real event loop. */
const AT_A_TIME = 32

/** The longest delay of a timer that can be one of a poll, how many come before they are late, and how often their delay doubles. */
const MAX_POLL_MS = 250
const IDLE_TIMERS = 200
const MAX_DOUBLINGS = 12

/** What an event of a thread is, in the order in which an event loop that wakes up takes those that are due. Messages are ordered by port. */
const PHASE = { timer: 0, message: 1, lateTimer: 1.95, immediate: 2 } as const

interface Event {
  readonly at: number
  /** When it would have come if its thread had not been busy: timers keep that order. */
  readonly due: number
  /** Of events of the same time. */
  readonly phase: number
  /** The thread whose event it is. */
  readonly place: Place | undefined
  readonly number: number
  readonly run: () => unknown
  /** The requested delay, for a timer of the bus. */
  readonly delay: number | undefined
  cancelled: boolean
  /** Set if the event has been put off. */
  moved?: Event
}

const isLater = (event: Event, other: Event): boolean => {
  if (event.at !== other.at) return event.at > other.at
  return event.phase === other.phase ? event.due > other.due : event.phase > other.phase
}

export class Clock {
  now = 1
  steps = 0
  /** The thread that runs. */
  place: Place | undefined
  /** Called before each step. */
  onStep: (() => void) | undefined
  /** Sorted by time, then by order of creation. The next event is the last item. */
  readonly #events: Event[] = []
  #asked = 0
  #isImmediate = false
  /** Timers in a row while nothing else happens. */
  #idleTimers = 0
  /** Number of events that are not cancelled. */
  #count = 0

  /** Runs `run` at `time`, after earlier events of the same time, and awaits its result. */
  at(
    time: number,
    run: () => unknown,
    delay?: number,
    place?: Place,
    phase: number = PHASE.message,
    due = time,
  ): Event {
    const event: Event = {
      ...{ at: Math.max(time, this.now), due, number: this.#asked++, run, delay, cancelled: false },
      ...{ place, phase },
    }
    let low = 0
    let high = this.#events.length
    while (low < high) {
      const middle = (low + high) >> 1
      const other = this.#events[middle]!
      if (isLater(other, event)) low = middle + 1
      else high = middle
    }
    this.#events.splice(low, 0, event)
    this.#count++
    return event
  }

  after(delay: number, run: () => unknown): Event {
    return this.at(this.now + delay, run)
  }

  cancel(event: Event | undefined): void {
    if (event?.moved) return this.cancel(event.moved)
    if (!event || event.cancelled) return
    event.cancelled = true
    this.#count--
  }

  /**
   * @param place - the thread whose code sleeps, and does not wake up before it goes on
   * @param wakesDead - by default, it does not wake up once it has ended
   */
  sleep(delay: number, place?: Place, wakesDead = false): Promise<void> {
    return new Promise(resolve => {
      const wake = (): void => {
        if (wakesDead || !place?.dead) resolve()
      }
      this.at(this.now + delay, wake, undefined, place, PHASE.timer)
    })
  }

  /** Delays of the pending timers of the bus. */
  get timers(): number[] {
    return this.#events.filter(({ cancelled, delay }) => !cancelled && delay !== undefined).map(({ delay }) => delay!)
  }

  /** Runs events until a time, until none are left, or up to a number of events. */
  run(until: number, mostSteps: number): Promise<'idle' | 'time' | 'steps'> {
    return new Promise((resolve, reject) => {
      let isBusy = false
      const last = this.steps + mostSteps
      const step = (): void => {
        if (isBusy) return
        const over = this.#over(until, last)
        isBusy = over !== undefined
        if (over) return resolve(over)
        try {
          const result = this.#runNext()
          if (!(result instanceof Promise)) return
          isBusy = true
          result.then(() => {
            isBusy = false
            pump()
          }, reject)
        } catch (error) {
          isBusy = true
          reject(error as Error)
        }
      }
      // All promises and ticks settle between two of these, too. One iteration of the real event loop costs more than a step.
      const pump = (): void => {
        for (let i = 0; i < AT_A_TIME; i++) real.setImmediate(step)
        real.setImmediate(() => isBusy || pump())
      }
      pump()
    })
  }

  #over(until: number, last: number): 'idle' | 'time' | 'steps' | undefined {
    if (this.#count === 0) return 'idle'
    if (this.steps >= last) return 'steps'
    while (this.#events.at(-1)!.cancelled) this.#events.pop()
    if (this.#events.at(-1)!.at <= until) return undefined
    this.now = until
    return 'time'
  }

  #runNext(): unknown {
    this.onStep?.()
    const event = this.#events.pop()!
    event.cancelled = true
    this.#count--
    this.now = event.at
    this.steps++
    const { place } = event
    if (place && place.stalledUntil > this.now) {
      // It is due when the thread goes on.
      const phase = event.phase === PHASE.timer && place.takesTimersLast ? PHASE.lateTimer : event.phase
      event.moved = this.at(place.stalledUntil, event.run, event.delay, place, phase, event.due)
      return undefined
    }
    this.place = place
    this.#isImmediate = event.phase === PHASE.immediate
    if (event.delay === undefined) this.#idleTimers = 0
    else if (event.delay > 0) this.#idleTimers++
    return event.run()
  }

  /** Replaces the thread's timers and clocks. Returns a function that restores them. */
  install(): () => void {
    const timeout = (run: (...args: unknown[]) => void, delay = 0, ...args: unknown[]): unknown => {
      // A poll is late if nothing else happens for long: an hour has too many of them.
      const late = delay <= MAX_POLL_MS ? 2 ** Math.min(MAX_DOUBLINGS, Math.floor(this.#idleTimers / IDLE_TIMERS)) : 1
      const wait = late * Math.max(1, Number(delay) || 0)
      const { place } = this
      let event = this.at(this.now + wait, () => run(...args), wait, place, PHASE.timer)
      const timer = {
        ref: () => timer,
        unref: () => timer,
        hasRef: () => true,
        refresh: () => {
          this.cancel(event)
          event = this.at(this.now + wait, () => run(...args), wait, place, PHASE.timer)
          return timer
        },
        clear: () => this.cancel(event),
      }
      return timer
    }
    const clear = (timer: { clear?: () => void } | undefined): void => timer?.clear?.()
    const immediate = (run: (...args: unknown[]) => void, ...args: unknown[]): unknown => {
      // A whole poll phase is between two immediates.
      const at = this.#isImmediate ? (this.place?.readsUntil ?? 0) : 0
      const event = this.at(at, () => run(...args), 0, this.place, PHASE.immediate)
      return { clear: () => this.cancel(event), unref() {}, ref() {} }
    }
    // What works again and again has nothing to do here, and a ring only keeps its thread alive with one.
    const interval = (): unknown => ({ ref() {}, unref() {} })
    Object.assign(globalThis, {
      setInterval: interval,
      setTimeout: timeout,
      clearTimeout: clear,
      setImmediate: immediate,
      clearImmediate: clear,
    })
    // Later than in all seeds before: what the product remembers of them is long ago.
    const start = (starts += SEED_MS)
    performance.now = () => start + this.now
    Date.now = () => 1_700_000_000_000 + Math.floor(this.now)
    return () => {
      const { performanceNow, dateNow, ...timers } = real
      Object.assign(globalThis, timers)
      performance.now = performanceNow
      Date.now = dateNow
    }
  }
}
