// The functions that a frontend's module exposes, for core and the host to call. A call that comes before its function is
// there waits until the module has finished loading.
import {
  BusError,
  CallSlots,
  type CodecName,
  describeName,
  toBusError,
  isThenable,
  type Outcome,
  type RequestId,
  type RequestMessage,
  traceRun,
} from '@sallyport/protocol'
import { exposedCalls } from './diagnostics.js'

export interface ExposedContext {
  /** Aborts when the caller gives up, or the link to core closes. */
  readonly signal: AbortSignal
}

/** Named arguments in (or bytes, where the caller gave nothing but bytes), a value or a promise of one out. */
export type ExposedFunction = (args: never, ctx: ExposedContext) => unknown

type Run = (args: unknown, ctx: ExposedContext) => unknown

export type ExposedFunctions = Readonly<Record<string, ExposedFunction>>

/** What answers a call. */
export interface ExposedAnswers {
  /** Gives the error that it is answered with, where it can't be carried. */
  result(id: RequestId, method: string, value: unknown): Outcome
  error(id: RequestId, error: BusError): Outcome
}

/** Over the link that a client has at the time. */
export const answersOver = (
  core: () => { answer: ExposedAnswers['result']; refuse: ExposedAnswers['error'] },
): ExposedAnswers => ({
  result: (id, method, value) => core().answer(id, method, value),
  error: (id, error) => core().refuse(id, error),
})

/** Of the frontend. */
interface Owner {
  readonly label: string
  readonly codec: CodecName
}

/** A call that runs. */
class ExposedCall implements ExposedContext {
  readonly id: RequestId
  /** Why nobody waits for its answer any more. */
  givenUp: BusError | undefined
  #controller: AbortController | undefined

  constructor(id: RequestId) {
    this.id = id
  }

  get signal(): AbortSignal {
    return (this.#controller ??= new AbortController()).signal
  }

  static abort(call: ExposedCall, reason: BusError): void {
    call.givenUp = reason
    call.#controller ??= new AbortController()
    call.#controller.abort(reason)
  }
}

export class Exposed {
  readonly #owner: Owner
  readonly #answers: ExposedAnswers
  readonly #functions: Map<string, ExposedFunction>
  readonly #running = new CallSlots<ExposedCall>()
  /** Calls of what is not there yet, in their order; `undefined` once nothing more will come. */
  #waiting: Map<RequestId, RequestMessage> | undefined
  /** Some of those that wait may run, and soon will: what comes meanwhile waits behind them. */
  #due = false

  constructor(
    owner: Owner,
    answers: ExposedAnswers,
    functions: Map<string, ExposedFunction> = new Map<string, ExposedFunction>(),
  ) {
    this.#owner = owner
    this.#answers = answers
    this.#functions = functions
  }

  /** The same functions, for another core to call: its ids are its own. */
  beside(answers: ExposedAnswers): Exposed {
    return new Exposed(this.#owner, answers, this.#functions)
  }

  /**
   * All of them, or none. It gives what takes them away.
   *
   * @throws BusError `InvalidParams` for a name that is taken, and for what is no function
   */
  add(functions: ExposedFunctions): () => void {
    const added = Object.entries(check(functions, this.#functions))
    for (const [name, run] of added) this.#functions.set(name, run)
    // Not before this has returned: functions may need what their module declares after it.
    if (this.#waiting && this.#waiting.size > 0 && !this.#due) {
      this.#due = true
      queueMicrotask(() => this.#runWaiting(this.#waiting && new Map()))
    }
    return () => {
      for (const [name, run] of added) if (this.#functions.get(name) === run) this.#functions.delete(name)
    }
  }

  /** Until `loaded` resolves, calls of what is not exposed wait. Where it rejects, the thread ends, and the link with it. */
  waitFor(loaded: Promise<unknown>): void {
    this.#waiting = new Map()
    loaded.then(
      () => this.#runWaiting(undefined),
      () => {},
    )
  }

  /** Runs a call that has come in. */
  take(message: RequestMessage): void {
    const { id, method } = message
    const run = this.#functions.get(method) as Run | undefined
    if (this.#waiting && (!run || this.#due)) return void this.#waiting.set(id, message)
    if (!exposedCalls.hasSubscribers) return void this.#run(message, run)
    const { label, codec } = this.#owner
    const { traceparent, tracestate } = message.headers ?? {}
    const trace = { label, command: method, id, codec, stream: false, traceparent, tracestate }
    traceRun(exposedCalls, trace, () => this.#run(message, run))
  }

  #run({ id, method, params = {} }: RequestMessage, run: Run | undefined): Outcome | Promise<Outcome> {
    if (!run) return this.#answers.error(id, this.#notExposed(method))
    const call = new ExposedCall(id)
    this.#running.add(id, call)
    try {
      const result = run(params, call)
      if (!isThenable(result)) return this.#succeed(call, method, result)
      return Promise.resolve(result).then(
        value => this.#succeed(call, method, value),
        (error: unknown) => this.#fail(call, method, error),
      )
    } catch (error) {
      return this.#fail(call, method, error)
    }
  }

  /** Nobody waits for its answer any more. */
  cancel(id: RequestId): void {
    this.#waiting?.delete(id)
    const call = this.#running.get(id)
    if (!call) return
    this.#running.delete(id)
    ExposedCall.abort(call, new BusError('Cancelled', 'The caller has cancelled the call'))
  }

  /** The link has closed: nobody waits for an answer. What is exposed stays. */
  unlinked(reason: BusError): void {
    if (this.#waiting) this.#waiting = new Map()
    for (const call of this.#running.takeAll()) ExposedCall.abort(call, reason)
  }

  /** @param left where those go that must still wait */
  #runWaiting(left: Map<RequestId, RequestMessage> | undefined): void {
    const calls = this.#waiting
    this.#waiting = left
    this.#due = false
    for (const call of calls?.values() ?? []) this.take(call)
  }

  #succeed(call: ExposedCall, method: string, value: unknown): Outcome {
    return this.#ended(call) ? this.#answers.result(call.id, method, value) : call.givenUp
  }

  #fail(call: ExposedCall, method: string, thrown: unknown): Outcome {
    return this.#ended(call) ? this.#answers.error(call.id, toBusError(method, thrown)) : call.givenUp
  }

  /** False where it was taken out before: it was cancelled, or the link is gone. */
  #ended(call: ExposedCall): boolean {
    if (this.#running.get(call.id) !== call) return false
    this.#running.delete(call.id)
    return true
  }

  #notExposed(method: string): BusError {
    const names = [...this.#functions.keys()].slice(0, 10).map(describeName)
    const there = names.length === 0 ? 'it exposes none' : `it exposes ${names.join(', ')}`
    return new BusError('MethodNotFound', `The frontend exposes no function ${describeName(method)}: ${there}`)
  }
}

function check(functions: ExposedFunctions, taken: ReadonlyMap<string, unknown>): ExposedFunctions {
  if (typeof functions !== 'object' || functions === null) throw wrong('takes an object of functions by name')
  for (const [name, run] of Object.entries(functions)) {
    if (typeof run !== 'function') throw wrong(`${describeName(name)} must be a function: got ${typeof run}`)
    if (name === '' || name.startsWith('$/')) throw wrong(`${describeName(name)} is no name for a function`)
    if (taken.has(name)) throw wrong(`${describeName(name)} is exposed already`)
  }
  return functions
}

const wrong = (what: string): BusError => new BusError('InvalidParams', `expose: ${what}`)
