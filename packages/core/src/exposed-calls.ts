// Core's calls of the functions that one frontend exposes. What the frontend answers is as untrusted as anything it sends:
// an answer settles the call that it names, once, and does nothing else.
import {
  BusError,
  MAX_IN_FLIGHT,
  METHOD,
  Pending,
  checkNamedArguments,
  checkPatience,
  checkTransfer,
  idOf,
  isBytes,
  parseAnswer,
  toErrorObject,
  type ResponseMessage,
} from '@sallyport/protocol'
import { ChannelHandle } from './channel.js'
import { checkFrontendCall, type FrontendCallOptions } from './frontend-call.js'
import { COUNT } from './meter.js'
import type { Replies } from './replies.js'

export class ExposedCalls {
  readonly #replies: Pick<Replies, 'request' | 'post'>
  readonly #pending: Pending
  readonly #counts: Float64Array
  #gone: string | undefined

  constructor(replies: Pick<Replies, 'request' | 'post'>, counts: Float64Array) {
    this.#replies = replies
    this.#counts = counts
    this.#pending = new Pending(id => {
      if (this.#gone === undefined) replies.post({ jsonrpc: '2.0', method: METHOD.cancel, params: { id } })
    })
  }

  /** @throws BusError of any reason, where the frontend's function throws one too */
  call(name: string, args: unknown, options: FrontendCallOptions = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#gone !== undefined) throw new BusError('Disconnected', this.#gone, { data: { delivered: 'no' } })
      checkCall(name, args, options)
      if (this.#pending.size >= MAX_IN_FLIGHT) {
        throw new BusError('Overloaded', `More than ${MAX_IN_FLIGHT} calls to one frontend are in flight`)
      }
      const id = this.#pending.takeId()
      this.#replies.request(id, name, args ?? undefined, options.transfer)
      this.#pending.add(id, name, resolve, reject, options)
    })
  }

  /**
   * @throws BusError `InvalidRequest` for what is no answer, with which its call fails, and for an answer to what was never
   * asked. One that is late is dropped.
   */
  settle(message: unknown): void {
    let answer: ResponseMessage
    try {
      answer = parseAnswer(message)
    } catch (error) {
      const id = idOf(message)
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
  checkPatience(name, options)
  if (options.transfer !== undefined) checkTransfer(options.transfer, args)
  if (args !== undefined && args !== null && !isBytes(args)) checkNamedArguments(name, args)
}
