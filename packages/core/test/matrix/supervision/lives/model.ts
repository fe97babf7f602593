// What was done to each part of a bus, and therefore how its calls may end, and of whom its reports may speak. A part is an opening of a
// frontend, the shared threads, core, or the bus.
import { isBusError } from '../../../../src/index.js'

/** One fault, or one order of the host. */
export interface Touch {
  readonly what: string
  /** What a report of it says; without it, there is none. */
  readonly reason: RegExp | undefined
  /** When it was over, and when the part was seen at work after that. Times are steps of the model. */
  settledAt?: number
  spentAt?: number
  /** The code lives on: only its links are replaced. */
  readonly keepsCode: boolean
  /** Faults that are its own. */
  reports: number
}

export class Part {
  readonly touches: Touch[] = []
  /** It has been opened. */
  isOpen = false
  /** Another opening has its label. */
  isOver = false
  /** The instance of the code that has answered last, and when it was asked. */
  birth: { readonly id: number; readonly at: number } | undefined
  readonly name: string
  readonly label: string

  constructor(name: string, label: string) {
    this.name = name
    this.label = label
  }

  /** Nothing that is not over has been done to it. */
  get isWhole(): boolean {
    return this.isOpen && this.touches.every(({ spentAt }) => spentAt !== undefined)
  }

  getTouches(since: number): Touch[] {
    return this.touches.filter(({ spentAt }) => spentAt === undefined || spentAt >= since)
  }

  toString(): string {
    const touches = this.touches.map(({ what, spentAt }) => what + (spentAt === undefined ? '' : ' (over)'))
    return `${this.name} [${[this.isOpen ? 'open' : 'not open', ...touches].join(', ')}]`
  }
}

export interface Call {
  readonly what: string
  readonly startedAt: number
  /** Those that the call needs, with those that are added while it runs. */
  readonly parts: Set<Part>
  outcome: string | undefined
}

export interface CallTerms {
  readonly parts: readonly Part[]
  /** Reasons of errors that need no fault. */
  readonly may?: readonly string[] | undefined
  /** Reasons that a fault can lead to, beside `Disconnected`. */
  readonly harmed?: readonly string[] | undefined
  /** Tokens of the handlers that it runs. */
  readonly tokens?: readonly number[] | undefined
  /** What the call itself does to its parts, which is no reason to fail. */
  readonly own?: readonly Touch[] | undefined
  /** Returns what is wrong with a result. @param startedAt - a step */
  check?(value: never, startedAt: number): string | undefined
  /** An order of the host, which reaches no code: its error does not say whether it did. */
  readonly isOrder?: boolean | undefined
  /** It cannot succeed, whatever happens. */
  readonly never?: boolean | undefined
  /** Nothing has to end it but the bus. */
  readonly isEndless?: boolean | undefined
}

export class Model {
  readonly wrong: string[] = []
  readonly core = new Part('core', 'core')
  readonly bus = new Part('the bus', 'bus')
  readonly frontends: Part[] = []
  /** What runs depend on. */
  readonly shared: Record<'threads' | 'processes', Part> = {
    threads: new Part('shared threads', 'shared'),
    processes: new Part('processes', 'shared'),
  }
  readonly calls = new Set<Call & { isEndless: boolean }>()
  readonly outcomes: Record<string, number> = {}
  isClosing = false
  #step = 0
  /** How often the handler of each token has run. */
  readonly #runs = new Map<number, number>()
  readonly #undelivered = new Map<number, string>()
  #lastToken = 0

  constructor() {
    for (const part of [this.core, this.bus, ...Object.values(this.shared)]) part.isOpen = true
  }

  takeToken(): number {
    return ++this.#lastToken
  }

  step(): number {
    return ++this.#step
  }

  fault(what: string): void {
    this.wrong.push(what)
  }

  /** Calls that run gain the part: it can be what they reach. */
  add(part: Part): void {
    this.frontends.push(part)
    for (const call of this.calls) {
      if (call.outcome === undefined && [...call.parts].some(({ label }) => label === part.label)) call.parts.add(part)
    }
  }

  touch(part: Part, what: string, reason?: RegExp, keepsCode = false): Touch {
    const touch: Touch = { what, reason, keepsCode, reports: 0 }
    part.touches.push(touch)
    return touch
  }

  /** An instance of the code has answered. Returns what is wrong with that. */
  answered(part: Part, id: number, startedAt: number): string | undefined {
    const { birth } = part
    if (birth && birth.at > startedAt) return undefined
    part.birth = { id, at: startedAt }
    if (birth === undefined || birth.id === id || part.getTouches(birth.at).some(({ keepsCode }) => !keepsCode))
      return undefined
    return `${part.toString()} was restarted for nothing`
  }

  over(touch: Touch): void {
    touch.settledAt ??= this.step()
  }

  /** A handler runs. */
  ran(token: number): void {
    const runs = (this.#runs.get(token) ?? 0) + 1
    this.#runs.set(token, runs)
    if (runs > 1) this.fault(`the handler of call ${token} runs ${runs} times`)
    this.#checkDelivered(token)
  }

  hasRun(token: number): boolean {
    return this.#runs.has(token)
  }

  /** Follows a call until it settles. Never rejects: resolves with the result, if there is one. */
  async follow<T>(what: string, promise: Promise<T>, terms: CallTerms): Promise<T | undefined> {
    const call = {
      what,
      startedAt: this.step(),
      parts: new Set(terms.parts),
      outcome: undefined as string | undefined,
      isEndless: terms.isEndless === true,
    }
    this.calls.add(call)
    try {
      const value = await promise
      this.#settle(call, 'ok')
      if (terms.never) this.fault(`${what} succeeds`)
      const problem = terms.check?.(value as never, call.startedAt)
      if (problem !== undefined) this.fault(`${what}: ${problem}`)
      this.#work(call)
      return value
    } catch (error) {
      this.#settle(call, this.#judge(call, error, terms))
      return undefined
    }
  }

  /** All that a bus reports of itself. */
  report(name: string, event: { label: string; worker?: string; error?: Error; reason?: string }): void {
    const { label, worker = 'none' } = event
    const text = event.error?.message ?? event.reason ?? ''
    // Nothing is reported of a run but the end of its gate.
    const isRun = label.startsWith('run-')
    const parts = isRun
      ? Object.values(this.shared)
      : [this.core, ...this.frontends].filter(part => part.label === label)
    const touches = parts.flatMap(part => part.touches).filter(({ reason }) => reason?.test(text))
    for (const touch of touches) if (name === 'fault') touch.reports++
    if (touches.length === 0)
      this.fault(`${name} (${worker}) blames ${label} for what was not done to it: ${text}. ${parts.join('; ')}`)
  }

  /** Describes those that should have settled. */
  getPending(withEndless: boolean): string[] {
    return [...this.calls]
      .filter(({ outcome, isEndless }) => outcome === undefined && (withEndless || !isEndless))
      .map(({ what }) => what)
  }

  #settle(call: Call, outcome: string): void {
    if (call.outcome !== undefined) this.fault(`${call.what} settles twice: ${call.outcome}, ${outcome}`)
    call.outcome = outcome
    this.outcomes[outcome] = (this.outcomes[outcome] ?? 0) + 1
  }

  /** Its parts were at work after all that was over when it began. */
  #work({ startedAt, parts }: Call): void {
    for (const part of [this.core, ...parts]) {
      for (const touch of part.touches)
        if (touch.settledAt !== undefined && touch.settledAt < startedAt) touch.spentAt ??= this.step()
    }
  }

  #judge(call: Call, error: unknown, { may = [], harmed = [], tokens = [], own = [], isOrder }: CallTerms): string {
    const { what, startedAt, parts } = call
    if (!isBusError(error)) {
      this.fault(`${what} rejects with no BusError: ${error instanceof Error ? error.stack : String(error)}`)
      return 'untyped'
    }
    const { reason, message, data } = error
    const { delivered } = Object(data) as { delivered?: string }
    const outcome = delivered === undefined ? reason : `${reason} ${delivered}`
    if (delivered === 'no') for (const token of tokens) this.#undelivered.set(token, what)
    for (const token of tokens) this.#checkDelivered(token)
    if (may.includes(reason)) return outcome
    const all = [this.core, this.bus, ...parts]
    const isHarmed =
      parts.size === 0 ||
      all.some(part => !part.isOpen || part.getTouches(startedAt).some(touch => !own.includes(touch)))
    const tell = (): string => `${what} rejects: ${outcome}, ${message}. ${all.join('; ')}`
    if (!isHarmed) this.fault(`for nothing, ${tell()}`)
    else if (!['Disconnected', ...harmed].includes(reason)) this.fault(`for another reason, ${tell()}`)
    else if (!isOrder && reason === 'Disconnected' && !['no', 'unknown'].includes(String(delivered)))
      this.fault(`without delivered, ${tell()}`)
    else this.#checkNames(all, message, tell)
    return outcome
  }

  /** A text names only those whose end can be its reason. */
  #checkNames(parts: readonly Part[], message: string, tell: () => string): void {
    const [, fault] = /on purpose (\d+)/.exec(message) ?? []
    if (fault === undefined) return
    const isKnown = parts.some(part => part.touches.some(({ reason }) => reason?.test(message)))
    if (!isKnown) this.fault(`for the fault of another, ${tell()}`)
  }

  #checkDelivered(token: number): void {
    const what = this.#undelivered.get(token)
    if (what !== undefined && this.hasRun(token)) this.fault(`${what} is said to be undelivered, and its handler runs`)
  }
}
