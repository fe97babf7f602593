// Calls of functions that one frontend exposes. Its answers are untrusted: each settles the call that it names, once, and nothing else.
import {
  BusError,
  checkDeadline,
  checkNamedArguments,
  checkTransfer,
  createCallPromise,
  describeCommand,
  getRequestId,
  isBytes,
  isStream,
  MAX_IN_FLIGHT,
  METHOD,
  parseResponse,
  PendingCalls,
  SentStreams,
  STREAM_METHOD,
  toErrorObject,
  traceCaller,
} from '@sallyport/protocol/internal'
import type {
  CallTrace,
  ResponseMessage,
  StreamCaller,
  TraceContext,
  CallOptions,
  TransferOptions,
} from '@sallyport/protocol/internal'
import { checkFrontendCall } from '../api/frontend-call.js'
import { COUNT } from '../shared/metrics.js'
import { ChannelHandle } from './channel.js'
import { frontendCalls, type TraceSource } from './tracing.js'
import type { SessionWriter } from './writer.js'

type CallWriter = Pick<SessionWriter, 'request' | 'send' | 'error'>

export class FrontendCalls implements StreamCaller {
  /** The streams among the arguments of these calls. */
  readonly sentStreams: SentStreams = new SentStreams()
  readonly #traceSource: TraceSource
  readonly #writer: CallWriter
  readonly #counts: Float64Array
  readonly #warn: (text: string) => void
  readonly #pending: PendingCalls
  #isConnected = true

  constructor(traceSource: TraceSource, writer: CallWriter, counts: Float64Array, warn: (text: string) => void) {
    this.#traceSource = traceSource
    this.#writer = writer
    this.#counts = counts
    this.#warn = warn
    this.#pending = new PendingCalls(id => {
      if (this.#isConnected) writer.send({ jsonrpc: '2.0', method: METHOD.cancel, params: { id } })
    })
  }

  /**
   * @param context trace context of the call that this one is made for
   * @param defaultTimeout milliseconds, or false for none, for a call whose options have no timeout
   */
  call(
    name: string,
    args: unknown,
    options?: CallOptions & TransferOptions,
    context?: TraceContext,
    defaultTimeout?: number | false,
  ): Promise<unknown> {
    let streams: Readonly<Record<string, number>> | undefined
    const answer = createCallPromise((resolve, reject) => {
      checkCall(name, args, options)
      if (this.#pending.isFull()) throw createLimitError()
      let params = args ?? undefined
      if (holdsStream(params)) streams = this.sentStreams.replace(name, (params = { ...params }))
      const id = this.#pending.takeId()
      const send = (done: typeof resolve, fail: (error: BusError) => void, sentContext?: TraceContext): void => {
        this.#writer.request(id, name, params, options?.transfer, sentContext, streams)
        this.#pending.add(id, name, done, fail, options, defaultTimeout)
      }
      if (!frontendCalls.hasSubscribers) return send(resolve, reject, context)
      const { label, codec } = this.#traceSource
      const trace: CallTrace = { label, command: name, id, codec, stream: false, ...context }
      traceCaller(frontendCalls, trace, resolve, reject, (done, fail) => send(done, fail, trace))
    })
    if (streams) {
      const end = (): void => this.sentStreams.closeAll(streams!)
      answer.then(end, end)
    }
    return answer
  }

  /** Requests the next value of a stream that the frontend has passed to a command. There is no deadline: a source can be slow. */
  pull(stream: number, signal: AbortSignal): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#pending.isFull()) throw createLimitError()
      const id = this.#pending.takeId()
      this.#writer.request(id, STREAM_METHOD.next, { stream }, undefined, undefined)
      this.#pending.add(id, STREAM_METHOD.next, resolve, reject, { signal })
    })
  }

  /** Notifies the frontend that no more values of a stream are read. */
  stop(stream: number): void {
    if (this.#isConnected) this.#writer.send({ jsonrpc: '2.0', method: STREAM_METHOD.return, params: { stream } })
  }

  /** Settles the call that the frontend answers. An invalid answer is reported with the id `null`: ids here are core's own. */
  settle(message: unknown): void {
    try {
      this.#settle(message)
    } catch (error) {
      this.#writer.error(null, '', error as BusError)
      this.#warn((error as BusError).message)
    }
  }

  /** The link has closed. Calls wait for `end`, their deadlines or their signals. */
  disconnect(): void {
    this.#isConnected = false
  }

  end(reason: string, cause: BusError | undefined): void {
    this.#pending.rejectAll(() => new BusError('Disconnected', reason, { data: { delivered: 'unknown' }, cause }))
  }

  /** Drops a late answer. A malformed one rejects the call that it names. @throws {BusError} `InvalidRequest` */
  #settle(message: unknown): void {
    let answer: ResponseMessage
    try {
      answer = parseResponse(message)
    } catch (error) {
      const id = getRequestId(message)
      if (id !== null) this.#pending.settle({ jsonrpc: '2.0', id, error: toErrorObject(error as BusError) })
      throw error
    }
    if (!this.#pending.hasIssued(answer.id)) {
      throw new BusError('InvalidRequest', 'Invalid Request: an answer to a call that was never made')
    }
    if (!this.#pending.settle(answer)) this.#counts[COUNT.late]! += 1
  }
}

const createLimitError = (): BusError =>
  new BusError('Overloaded', `More than ${MAX_IN_FLIGHT} calls to one frontend are in flight`)

const holdsStream = (args: unknown): args is Record<string, unknown> =>
  typeof args === 'object' && args !== null && !isBytes(args) && Object.values(args).some(isStream)

function checkCall(name: unknown, args: unknown, options: (CallOptions & TransferOptions) | undefined): void {
  if (typeof name !== 'string' || name === '' || name.startsWith('$/')) {
    const actual = typeof name === 'string' ? JSON.stringify(name) : typeof name
    throw new BusError('InvalidParams', `The name of a frontend's function must be a non-empty string: got ${actual}`)
  }
  checkFrontendCall(name, args, ChannelHandle, options)
  if (options !== undefined) checkDeadline(describeCommand(name), options)
  if (options) checkTransfer(options, args)
  if (args !== undefined && args !== null && !isBytes(args)) checkNamedArguments(name, args)
}
