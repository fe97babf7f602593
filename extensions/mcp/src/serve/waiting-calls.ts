// Calls of commands that are plain functions, and ask in `ctx.confirm`. They cannot leave this process, and are not run again from their
// start, so they wait here: in memory, few of each user at a time, and not for long.
//
//   runs ── ctx.confirm ──> waits, and the client has the question ── an answer ──> runs ──> has ended
//                                                                 ── none in time ──> cancelled
import { randomUUID } from 'node:crypto'
import { type Bus, BusError, type Client } from '@sallyport/core'
import { answerConfirms, invokeWithId } from '@sallyport/core/internal'
import { silence } from '@sallyport/protocol/internal/contract'
import { createDeferred } from '@sallyport/protocol/internal/util'
import { MAX_CONFIRM_REQUESTS } from '@sallyport/protocol/internal/wire'

/** Of one question. Core bounds how many the users of a label have together. */
const ANSWER_TIMEOUT_MS = 600_000
/** Of states that are the name of a waiting call, and hold nothing. */
const STATE = 'waiting.'

const CANNOT_ASK =
  'The user cannot be asked: the client does not declare "elicitation", speaks an older protocol than 2026-07-28 over HTTP, or reads a stream'

export const isWaitingState = (state: string): boolean => state.startsWith(STATE)

/** What a call does next: it ends, or asks. */
export type Outcome = { readonly value: unknown } | { readonly question: string; readonly state: string }

export interface WaitingCall {
  /** Whose call it is. An answer has the same. */
  readonly binding: string
  /** Text of the open question. */
  readonly question: string
  /** Answers the open question, which was claimed by that. Resolves or rejects with what comes next. */
  answer(isYes: boolean, signal: AbortSignal): Promise<Outcome>
}

interface CallInput {
  /** Questions are counted for each. */
  readonly user: string
  readonly command: string
  readonly args: Record<string, unknown>
  readonly timeout: number | undefined
  readonly binding: string
  readonly signal: AbortSignal
  /** True if the request stays open while its user is asked, as in protocols before 2026-07-28. */
  readonly isHeld: boolean
}

export class WaitingCalls {
  readonly #client: Client
  /** By the number that core has for the call. */
  readonly #running = new Map<unknown, Call>()
  /** By the state of the open question. */
  readonly #waiting = new Map<string, Call>()
  readonly #stopAnswering: () => void

  constructor(bus: Bus, client: Client, label: string) {
    this.#client = client
    this.#stopAnswering = answerConfirms(bus, label, async (text, id, signal) => this.#ask(text, id, signal))
  }

  /** @throws what the command throws */
  async call({ command, args, timeout, binding, user, signal, isHeld }: CallInput): Promise<Outcome> {
    const call = new Call(binding, user, this.#waiting)
    if (isHeld) signal.addEventListener('abort', () => call.cancel(signal))
    const options = { signal: call.signal, ...(timeout !== undefined && { timeout }) }
    const { id, result } = invokeWithId(this.#client, command, args, options)
    this.#running.set(id, call)
    const ended = result.finally(() => {
      this.#running.delete(id)
      call.end()
    })
    return call.proceed(ended, signal)
  }

  /** @throws {BusError} InvalidRequest if its caller cannot be asked, Overloaded if the user has too many questions */
  #ask(text: string, id: unknown, signal: AbortSignal): Promise<boolean> {
    const call = this.#running.get(id)
    if (!call) throw new BusError('InvalidRequest', CANNOT_ASK)
    const all = [...this.#running.values()].filter(({ user }) => user === call.user).flatMap(each => each.questions)
    if (all.length >= MAX_CONFIRM_REQUESTS) {
      const text = `${MAX_CONFIRM_REQUESTS} questions of this user are open. Answer one: each expires after ${ANSWER_TIMEOUT_MS / 60_000} minutes`
      throw new BusError('Overloaded', text, { code: 'TOO_MANY_QUESTIONS' })
    }
    return call.ask(text, signal)
  }

  /** @throws {BusError} InvalidRequest if its question is not open any more */
  find(state: string): WaitingCall {
    const call = this.#waiting.get(state)
    if (call) return call
    throw new BusError('InvalidRequest', 'No call waits for this answer: it was given before, or came too late')
  }

  /** Questions that wait get no answer: their calls end with the client. */
  stop(): void {
    this.#stopAnswering()
    for (const call of this.#waiting.values()) call.end()
  }
}

interface Question {
  readonly text: string
  readonly settle: (isYes: boolean) => void
}

class Call implements WaitingCall {
  readonly binding: string
  readonly user: string
  readonly #waiting: Map<string, Call>
  readonly #controller = new AbortController()
  /** The first one is that which the client has. */
  readonly questions: Question[] = []
  #ended: Promise<unknown> | undefined
  #asked = createDeferred<void>()
  #state = ''
  #hasEnded = false
  #endWait = (): void => {}

  constructor(binding: string, user: string, waiting: Map<string, Call>) {
    this.binding = binding
    this.user = user
    this.#waiting = waiting
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  get question(): string {
    return this.questions[0]?.text ?? ''
  }

  ask(text: string, signal: AbortSignal): Promise<boolean> {
    return new Promise(settle => {
      this.questions.push({ text, settle })
      // Core counts the question as open until it has an answer, also if nobody waits for it.
      signal.addEventListener('abort', () => settle(false), { once: true })
      this.#asked.resolve()
    })
  }

  /** While a request waits for it, its end cancels the call. Between two requests the call waits for the next. */
  async proceed(ended: Promise<unknown>, signal: AbortSignal): Promise<Outcome> {
    this.#ended = ended
    ended.catch(() => {})
    const abort = (): void => this.cancel(signal)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort)
    try {
      const end = ended.then(value => ({ value }))
      return await Promise.race([end, this.#asked.promise.then(() => this.#open())])
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }

  answer(isYes: boolean, signal: AbortSignal): Promise<Outcome> {
    this.#close()
    const question = this.questions.shift()
    this.#asked = createDeferred()
    if (this.questions.length > 0) this.#asked.resolve()
    question?.settle(isYes)
    return this.proceed(this.#ended!, signal)
  }

  cancel({ reason }: AbortSignal): void {
    this.#controller.abort(reason)
  }

  end(): void {
    this.#hasEnded = true
    this.#close()
    for (const { settle } of this.questions.splice(0)) settle(false)
  }

  #open(): Outcome {
    this.#state = `${STATE}${randomUUID()}`
    if (this.#hasEnded) return { question: this.question, state: this.#state }
    this.#waiting.set(this.#state, this)
    this.#endWait = silence(ANSWER_TIMEOUT_MS, { keepsAlive: false }, () => {
      this.#controller.abort()
      this.end()
    })
    return { question: this.question, state: this.#state }
  }

  #close(): void {
    this.#endWait()
    this.#waiting.delete(this.#state)
  }
}
