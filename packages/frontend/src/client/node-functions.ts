// The functions that a thread, a process or a script exposes. A call of a function that is not exposed yet waits until the frontend's module has
// loaded: a page is loaded once it joins.
import { BusError, describeName, didYouMean } from '@sallyport/protocol/internal/errors'
import type { RequestId, RequestMessage } from '@sallyport/protocol/internal/message'
import { CallSlots, refuseOpen } from '@sallyport/protocol/internal/rpc'
import { isDevelopment, queueMicrotask } from '@sallyport/protocol/internal/util'
import {
  type ExposedFunctions,
  type ExposingFrontend,
  FunctionRegistry,
  type FunctionsByName,
  type RunningCalls,
} from './exposed-functions.js'

type Waiting = Map<RequestId, RequestMessage>

export class NodeFunctionRegistry extends FunctionRegistry {
  readonly #frontend: ExposingFrontend
  readonly #functions: FunctionsByName
  readonly #running: RunningCalls
  /** Calls of functions that were not exposed yet, in order; `undefined` once no more functions will follow. */
  #waiting: Waiting | undefined
  /** True if the frontend's module has a default export, as modules of core have. */
  #hasExports = false
  /** Waiting calls will be tried in the next microtask: calls that arrive before then must not overtake them. */
  #isRunDue = false

  constructor(frontend: ExposingFrontend, functions: FunctionsByName = new Map()) {
    const running: RunningCalls = new CallSlots()
    super(frontend, functions, running)
    this.#frontend = frontend
    this.#functions = functions
    this.#running = running
  }

  /** Returns a registry of the same functions for calls from another core, whose ids are its own. */
  forConnection(): NodeFunctionRegistry {
    return new NodeFunctionRegistry(this.#frontend, this.#functions)
  }

  override expose(functions: ExposedFunctions): () => void {
    const remove = super.expose(functions)
    // Not before this has returned: functions can need what their module declares later.
    if (this.#waiting && this.#waiting.size > 0 && !this.#isRunDue) {
      this.#isRunDue = true
      queueMicrotask(() => this.#runWaiting(this.#waiting && new Map()))
    }
    return remove
  }

  /** Lets calls of unknown functions wait until `loaded` resolves. If it rejects, the thread ends. */
  waitFor(loaded: Promise<unknown>): void {
    this.#waiting = new Map()
    loaded.then(
      module => {
        this.#hasExports = Object.keys(Object(module)).length > 0
        this.#runWaiting(undefined)
      },
      () => {},
    )
  }

  override run(message: RequestMessage): void {
    const { id, method } = message
    refuseOpen(this.#running, id, 'call')
    if (!this.#waiting || (this.#functions.has(method) && !this.#isRunDue)) return super.run(message)
    refuseOpen(this.#waiting, id, 'call')
    this.#waiting.set(id, message)
  }

  override cancel(id: RequestId): void {
    this.#waiting?.delete(id)
    super.cancel(id)
  }

  override disconnected(createReason: () => BusError): void {
    if (this.#waiting) this.#waiting = new Map()
    super.disconnected(createReason)
  }

  /** @param stillWaiting receives the calls whose functions are still not exposed; `undefined` if they fail now */
  #runWaiting(stillWaiting: Waiting | undefined): void {
    const calls = this.#waiting
    this.#waiting = stillWaiting
    this.#isRunDue = false
    for (const call of calls?.values() ?? []) this.run(call)
  }

  protected override notExposed(method: string): BusError {
    const { message } = super.notExposed(method)
    const names = [...this.#functions.keys()]
    const hint = isDevelopment() ? didYouMean(method, names) : ''
    if (hint !== '') return new BusError('MethodNotFound', `${message}${hint}`)
    const listed = names.slice(0, MAX_LISTED).map(describeName).join(', ')
    const more = names.length > MAX_LISTED ? `, and ${names.length - MAX_LISTED} more` : ''
    const exposed = listed === '' ? `no functions${this.#hasExports ? EXPORTS_REMEDY : REMEDY}` : `${listed}${more}`
    return new BusError('MethodNotFound', `${message}: it exposes ${exposed}`)
  }
}

/** Names of exposed functions that an error has. */
const MAX_LISTED = 10
const EXPORTS_REMEDY = '. The exports of its module are ignored: call `expose({ … })` of @sallyport/frontend instead'
const REMEDY = '. Call `expose({ … })` of @sallyport/frontend in its module'
