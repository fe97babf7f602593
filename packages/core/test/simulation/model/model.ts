// The model of the bus. Each call settles once, with a possible outcome, and runs at most once, or never if its error says so.
// Messages of one sender arrive in order, without gaps. No message crosses from one link to the next.
import { Ask, passes, type Epoch, type Step, type Verdict } from './ask.js'
import { BOUNDS } from '../bounds.js'
import type { Simulation } from '../simulation.js'

const NEVER_RAN = ['Rejected', 'Denied', 'Overloaded', 'MethodNotFound']

const isCrowded = ({ sent, bytes }: Epoch): boolean => sent > BOUNDS.crowd || bytes > BOUNDS.crowdBytes

interface Emitted {
  readonly epoch: Epoch
  readonly order: number
  readonly passes: boolean
  readonly crowded: boolean
  readonly step: Step
  /** The sender got an error that says it was not sent. */
  refused: boolean
  received: number
}

export class Model {
  readonly #simulation: Simulation
  readonly #asks = new Map<number, Ask>()
  readonly #emitted = new Map<number, Emitted>()
  #tokens = 0

  constructor(simulation: Simulation) {
    this.#simulation = simulation
  }

  token(): number {
    return ++this.#tokens
  }

  ask(options: Omit<ConstructorParameters<typeof Ask>[0], 'token'>): Ask {
    const ask = new Ask({ ...options, token: this.token() })
    ask.startedAt = this.#simulation.clock.now
    this.#simulation.outcomes?.begins(ask.step.name)
    this.#asks.set(ask.token, ask)
    this.#simulation.trace(() => `${ask.by}: makes ${String(ask)}`)
    return ask
  }

  getStep(token: number): Step {
    return this.#asks.get(token)!.step
  }

  get asks(): Iterable<Ask> {
    return this.#asks.values()
  }

  /** @param text - more of it */
  settled(ask: Ask, outcome: string, text = outcome): void {
    ask.outcomes.push(outcome)
    this.#simulation.settled(ask.step.name, text)
    this.#simulation.trace(() => `${ask.by}: ${String(ask)}: ${outcome}`)
    if (ask.outcomes.length > 1) this.#wrong(`${String(ask)} settled twice: ${ask.outcomes.join(', ')}`)
    if (!this.#canBe(ask, outcome)) this.#wrong(`${String(ask)} cannot end as ${outcome}`)
    const isLost = ask.answeredOver && !ask.answeredOver.harmed && outcome.startsWith('Disconnected')
    if (isLost) this.#wrong(`${String(ask)} was answered before an orderly end, and the answer is lost`)
  }

  /** A function of a frontend has returned or thrown, before the bus began to close. */
  answered(token: number, epoch: Epoch): void {
    if (!epoch.closed) this.#asks.get(token)!.answeredOver = epoch
  }

  /** A handler has started, in this core, or in a frontend over its link to it. */
  ran(token: number, core: number): void {
    const ask = this.#asks.get(token)
    if (!ask) return this.#wrong(`a call runs that was not made: ${token}`)
    this.#simulation.outcomes?.runs(ask.step.name)
    if (++ask.ran > 1) this.#wrong(`${String(ask)} runs ${ask.ran} times`)
    if (!ask.passes && !ask.isOfCore) this.#wrong(`${String(ask)} runs, though the hook refused it`)
    if (ask.epoch?.core !== core) this.#wrong(`${String(ask)} runs in core ${core}`)
    const { epoch, order } = ask
    if (!epoch || order === undefined) return
    this.#inOrder(epoch, order, String(ask))
    ask.isRunning = true
    // A synchronous handler ends before the next one starts.
    if (++epoch.running > BOUNDS.inFlight + 1) this.#wrong(`${epoch.running} calls run at a time for ${ask.by}`)
  }

  /** The handler has ended. */
  over(token: number): void {
    const ask = this.#asks.get(token)!
    ask.isRunning = false
    ask.epoch!.running--
  }

  /** A frontend sends an event. */
  emits(epoch: Epoch, order: number, verdict: Verdict, step: Step): number {
    const token = this.token()
    const isPassed = !epoch.isolated || passes(verdict)
    this.#emitted.set(token, {
      epoch,
      order,
      passes: isPassed,
      crowded: isCrowded(epoch),
      step,
      refused: false,
      received: 0,
    })
    return token
  }

  refused(token: number): void {
    this.#emitted.get(token)!.refused = true
  }

  /** Core has received an event of a frontend. */
  received(token: number, core: number): void {
    const event = this.#emitted.get(token)
    if (!event) return this.#wrong(`an event that was not sent: ${token}`)
    this.#simulation.settled(event.step.name, 'arrived')
    if (++event.received > 1) this.#wrong(`event ${token} came ${event.received} times`)
    if (!event.passes) this.#wrong(`event ${token} came, though the hook refused it`)
    if (event.epoch.core !== core) this.#wrong(`event ${token} came in core ${core}, not ${event.epoch.core}`)
    this.#inOrder(event.epoch, event.order, `event ${token}`)
  }

  /**
   * Checks the final state once everything has settled.
   *
   * @param core number of the running core
   * @param isClosed true if endless calls must have ended, too
   */
  checkAtRest(core: number, isClosed: boolean): void {
    for (const ask of this.#asks.values()) {
      const goesOn = ask.endless && ask.outcomes.length === 0 && !ask.epoch?.ended
      if (ask.isRunning && ask.epoch?.core === core && !goesOn) this.#wrong(`${String(ask)} still runs`)
      if (ask.outcomes.length === 0 && !ask.isOrphan() && !(ask.endless && !isClosed))
        this.#wrong(`${String(ask)} never settled`)
      const [outcome = ''] = ask.outcomes
      // A value of a source can be refused, too, while its handler runs.
      const isRefusedValue = ask.command === 'upload' && outcome === 'Overloaded'
      const isRefusedAnswer = isRefusedValue || (ask.isOfCore && (outcome === 'Rejected' || outcome === 'Overloaded'))
      const isUnsent = outcome.endsWith(' no') || NEVER_RAN.includes(outcome)
      if (ask.ran > 0 && isUnsent && !isRefusedAnswer) this.#wrong(`${String(ask)} ran, and ended as ${outcome}`)
      const isLost = outcome === 'Disconnected unknown' || (outcome === '' && !ask.epoch?.closed)
      const mayRun = ask.passes && !['denied', 'missing'].includes(ask.command) && !this.#isCrowded(ask)
      const isDropped = ask.epoch?.dropsCalls === true
      if (ask.ran === 0 && isLost && mayRun && !isDropped && ask.order !== undefined)
        this.#noGap(ask.epoch, ask.order, String(ask))
    }
    for (const [token, event] of this.#emitted) {
      const { epoch, order, refused, crowded, received } = event
      if (refused && received > 0)
        this.#wrong(`event ${token} came, though its sender got an error that says it was not sent`)
      if (received === 0 && event.passes && !crowded && !refused) this.#noGap(epoch, order, `event ${token}`)
    }
  }

  #inOrder(epoch: Epoch, order: number, what: string): void {
    if (order < epoch.received) this.#wrong(`${what} comes after what was sent later`)
    epoch.received = Math.max(epoch.received, order)
  }

  #noGap(epoch: Epoch | undefined, order: number, what: string): void {
    if (epoch && epoch.received > order) this.#wrong(`${what} was lost, but what was sent later has arrived`)
    else if (epoch && (!epoch.ended || epoch.left))
      this.#wrong(`${what} never arrived, over a link that nothing has happened to`)
  }

  #canBe(ask: Ask, outcome: string): boolean {
    const { command, epoch } = ask
    switch (outcome) {
      case 'ok':
        return ask.ran === 1 && ask.passes && command !== 'fails' && command !== 'denied'
      case `CommandFailed ${ask.token}`:
        return ask.ran === 1 && command === 'fails'
      case 'Denied':
        return command === 'denied'
      case 'MethodNotFound':
        return command === 'missing'
      case 'Rejected':
        return !ask.passes
      case 'Cancelled':
      case 'Cancelled no':
        return ask.aborted
      case 'Timeout':
      case 'Timeout no':
        return ask.timeout !== undefined && this.#simulation.clock.now >= ask.startedAt + ask.timeout
      case 'Overloaded no':
        return ask.rejects || this.#isCrowded(ask)
      case 'Overloaded':
        return this.#isCrowded(ask)
      case 'Overloaded unknown':
        return ask.floods || this.#isCrowded(ask)
      case 'Disconnected no':
        return epoch === undefined || epoch.ended
      case 'Disconnected unknown':
        return epoch?.ended === true && !ask.unlinked
      default:
        return false
    }
  }

  #isCrowded({ epoch }: Ask): boolean {
    return epoch !== undefined && isCrowded(epoch)
  }

  #wrong(what: string): void {
    this.#simulation.fault(what)
  }
}
