// Core's calls of the functions that one frontend exposes. What the frontend answers is as untrusted as anything it sends:
// an answer settles the call that it names, once, and does nothing else.
import {
  BusError,
  type CallTrace,
  checkNamedArguments,
  checkTimeout,
  checkTransfer,
  getRequestId,
  isBytes,
  MAX_IN_FLIGHT,
  METHOD,
  parseAnswer,
  PendingCalls,
  type ResponseMessage,
  toErrorObject,
  traceCaller,
  type TraceContext,
} from '@sallyport/protocol'
import { checkFrontendCall, type FrontendCallOptions } from '../api/frontend-call.js'
import { COUNT } from '../shared/metrics.js'
import { ChannelHandle } from './channel.js'
import { type From, frontendCalls } from './tracing.js'
import type { SessionWriter } from './writer.js'

export class FrontendCalls {
  readonly #frontend: From
  readonly #replies: Pick<SessionWriter, 'request' | 'post' | 'error'>
  readonly #warn: (text: string) => void
  readonly #pending: PendingCalls
  readonly #counts: Float64Array
  #gone: string | undefined

  constructor(
    frontend: From,
    replies: Pick<SessionWriter, 'request' | 'post' | 'error'>,
    counts: Float64Array,
    warn: (text: string) => void,
  ) {
    this.#frontend = frontend
    this.#replies = replies
    this.#warn = warn
    this.#counts = counts
    this.#pending = new PendingCalls(id => {
      if (this.#gone === undefined) replies.post({ jsonrpc: '2.0', method: METHOD.cancel, params: { id } })
    })
  }

  /**
   * @param context of the call that it is made for
   * @throws BusError of any reason, where the frontend's function throws one too
   */
  call(name: string, args: unknown, options: FrontendCallOptions = {}, context?: TraceContext): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#gone !== undefined) throw new BusError('Disconnected', this.#gone, { data: { delivered: 'no' } })
      checkCall(name, args, options)
      if (this.#pending.isFull()) {
        throw new BusError('Overloaded', `More than ${MAX_IN_FLIGHT} calls to one frontend are in flight`)
      }
      const id = this.#pending.takeId()
      const request = (done: typeof resolve, fail: typeof reject, sent: TraceContext | undefined): void => {
        this.#replies.request(id, name, args ?? undefined, options.transfer, sent)
        this.#pending.add(id, name, done, fail, options)
      }
      if (!frontendCalls.hasSubscribers) return request(resolve, reject, context)
      const { label, codec } = this.#frontend
      const trace: CallTrace = { label, command: name, id, codec, stream: false, ...context }
      traceCaller(frontendCalls, trace, resolve, reject, (...settle) => request(...settle, trace))
    })
  }

  /** What is meant as an answer. Its id is core's: an error about it is about no call of the frontend's. */
  take(message: unknown): void {
    try {
      this.#settle(message)
    } catch (error) {
      this.#replies.error(null, '', error as BusError)
      this.#warn((error as BusError).message)
    }
  }

  /**
   * @throws BusError `InvalidRequest` for what is no answer, with which its call fails, and for an answer to what was never
   * asked. One that is late is dropped.
   */
  #settle(message: unknown): void {
    let answer: ResponseMessage
    try {
      answer = parseAnswer(message)
    } catch (error) {
      const id = getRequestId(message)
      if (id !== null) this.#pending.settle({ jsonrpc: '2.0', id, error: toErrorObject(error as BusError) })
      throw error
    }
    if (!this.#pending.hasGiven(answer.id)) {
      throw new BusError('InvalidRequest', 'Invalid Request: an answer to a call that was never made')
    }
    if (!this.#pending.settle(answer)) this.#counts[COUNT.late]! += 1
  }

  /** The frontend is gone. */
  end(why: string): void {
    this.#gone = why
    this.#pending.rejectAll(() => new BusError('Disconnected', why, { data: { delivered: 'unknown' } }))
  }
}

function checkCall(name: unknown, args: unknown, options: FrontendCallOptions): void {
  if (typeof name !== 'string' || name === '' || name.startsWith('$/')) {
    const given = typeof name === 'string' ? JSON.stringify(name) : typeof name
    throw new BusError('InvalidParams', `The name of a frontend’s function must be a text, not empty: got ${given}`)
  }
  checkFrontendCall(name, args, options, ChannelHandle)
  checkTimeout(name, options)
  if (options.transfer !== undefined) checkTransfer(options.transfer, args)
  if (args !== undefined && args !== null && !isBytes(args)) checkNamedArguments(name, args)
}
