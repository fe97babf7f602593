// Questions of a tool to the user. A tool that runs code returns the report of a run that was interrupted: the client gets a question, and with
// it all that waits for the answer, sealed. It comes back with both in another request, which any host with the same key can answer. Nothing
// waits here, so nothing has to be counted, kept or cleaned up.
//
//   call ── the command returns { status: 'interrupted', continuation, data } ──> question, state
//   call with answer and state ── opened, compared with the call, claimed ──> the command again, with `interruptedRun`
//
// A state is worth what its seal says: it is bound to the label, the user, the tool as it was described, and the arguments.
// A call that waits in this process (`waiting-calls.ts`) has a state too, and the same bonds.
import { createHash } from 'node:crypto'
import {
  type InputRequiredResult,
  inputRequired,
  ProtocolError,
  ProtocolErrorCode,
  type ServerContext,
  type Tool,
} from '@modelcontextprotocol/server'
import { type Bus, BusError, isBusError } from '@sallyport/core'
import { checkContinuation, getQuestions } from '@sallyport/core/internal'
import { toConfirmText } from '@sallyport/protocol/internal/contract'
import { isPlainObject } from '@sallyport/protocol/internal/util'
import { MAX_CONFIRM_TEXT } from '@sallyport/protocol/internal/wire'
import { toJson } from '../shared/json.js'
import { isWaitingState, type Outcome, type WaitingCall, type WaitingCalls } from './waiting-calls.js'

/** The argument of a command that asks the user: `{ continuation, data, answer }`. MCP clients do not see it, and cannot pass it. */
export const RESUME_ARGUMENT = 'interruptedRun'

/** A person can be away for a week. */
const EXPIRY_MS = 7 * 24 * 3_600_000
/** Of the state as text: a request of a client has room for it. */
const MAX_STATE_CHARACTERS = 2 ** 20
const ANSWER = 'confirm'

/** What a command that runs code gets as its argument `interruptedRun` once the user has answered. */
export interface AnsweredRun {
  /** What `bus.resume` takes. */
  readonly continuation: Uint8Array
  /** What the command that asked has passed to `ctx.interrupt`. */
  readonly data: unknown
  /** True if the user agreed; false if the user did not, or gave no answer. */
  readonly answer: boolean
}

interface Waiting extends Omit<AnsweredRun, 'answer'> {
  /** Of the call: see `getBinding`. */
  readonly binding: string
  /** Unix time in ms. */
  readonly expires: number
}

/** A state that was opened. */
type OpenedState = { readonly state: string } & (
  | (Waiting & { readonly id: string })
  | { readonly waiting: WaitingCall }
)

export interface AskingCall {
  readonly served: { readonly tool: Tool }
  readonly args: Record<string, unknown>
  readonly context: ServerContext
}

interface Received {
  /** The same question, because there is no answer. */
  readonly asked?: InputRequiredResult
  /** What a call that waited here does next. */
  readonly outcome?: Outcome
  /** For the command, which is called again. */
  readonly answered?: AnsweredRun
}

export class Rounds {
  readonly #questions: ReturnType<typeof getQuestions>
  readonly #bus: Bus
  readonly #label: string
  readonly #waiting: WaitingCalls

  constructor(bus: Bus, label: string, waiting: WaitingCalls) {
    this.#bus = bus
    this.#questions = getQuestions(bus)
    this.#label = label
    this.#waiting = waiting
  }

  /** Opens what a client has echoed. @throws for a state that was changed or has expired, or that another key has made */
  readonly verify = async (state: string): Promise<OpenedState> => {
    if (state.length > MAX_STATE_CHARACTERS) throw new BusError('Overloaded', 'The state is too long')
    if (isWaitingState(state)) return { state, waiting: this.#waiting.find(state) }
    const { id, content } = await this.#questions.openQuestion(Buffer.from(state, 'base64url'))
    const waiting = content as Waiting
    if (Date.now() > waiting.expires)
      throw new BusError('Timeout', 'The question has expired', { code: 'QUESTION_EXPIRED' })
    return { ...waiting, id, state }
  }

  /**
   * Claims the user's answer. `undefined` for a call that begins.
   *
   * @throws {ProtocolError} InvalidParams for a state of another call
   * @throws {BusError} InvalidRequest for a second answer, InvalidParams for a run that this release cannot go on with
   */
  async receive(call: AskingCall): Promise<Received | undefined> {
    const { mcpReq } = call.context
    const opened = mcpReq.requestState<OpenedState>()
    if (!opened) return undefined
    const { binding } = 'waiting' in opened ? opened.waiting : opened
    if (binding !== this.getBinding(call)) {
      const data = { reason: 'invalid_request_state' }
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'Invalid or expired requestState', data)
    }
    const { state } = opened
    const response = mcpReq.inputResponses?.[ANSWER]
    const { action, content }: { action?: unknown; content?: unknown } = Object(response)
    const answer = action === 'accept' && Object(content)[ANSWER] === true
    if ('waiting' in opened) {
      // A copy of the request can have answered since `verify`, and the call can have its next question, which nobody has seen.
      const waiting = this.#waiting.find(state)
      if (response === undefined) return { asked: toQuestion(waiting.question, state) }
      return { outcome: await waiting.answer(answer, mcpReq.signal) }
    }
    const { id, continuation, data } = opened
    if (response === undefined) return { asked: toQuestion(data, state) }
    await checkContinuation(this.#bus, continuation)
    await this.#claim(id)
    return { answered: { continuation, data, answer } }
  }

  /**
   * @throws {BusError} InvalidRequest if the bus has no key, InvalidParams for a continuation that it has not made, Overloaded if the code holds too
   * much, or for a question that cannot be shown to its end
   */
  async ask(call: AskingCall, { continuation, data }: Omit<AnsweredRun, 'answer'>): Promise<InputRequiredResult> {
    const { length } = getText(data)
    if (length > MAX_CONFIRM_TEXT) {
      const text = `The user cannot be asked: the question has ${length} characters, and ${MAX_CONFIRM_TEXT} are shown. Ask in fewer`
      throw new BusError('Overloaded', text, { data: { limit: 'question', max: MAX_CONFIRM_TEXT } })
    }
    const expires = Date.now() + EXPIRY_MS
    const waiting: Waiting = { binding: this.getBinding(call), expires, continuation, data }
    const state = Buffer.from(await this.#questions.sealQuestion(waiting)).toString('base64url')
    if (state.length > MAX_STATE_CHARACTERS) {
      const text = `The user cannot be asked: what the code holds meanwhile takes ${state.length} characters, and ${MAX_STATE_CHARACTERS} can wait. Let it hold less`
      throw new BusError('Overloaded', text, { data: { limit: 'requestState', max: MAX_STATE_CHARACTERS } })
    }
    await checkContinuation(this.#bus, continuation)
    return toQuestion(data, state)
  }

  async #claim(id: string): Promise<void> {
    try {
      await this.#questions.claim(id)
    } catch (cause) {
      if (!isBusError(cause, 'InvalidRequest')) throw cause
      throw new BusError('InvalidRequest', 'The question was answered before. Call the tool again', { cause })
    }
  }

  /** Whose call it is: an answer has the same. */
  getBinding({ served: { tool }, args, context }: AskingCall): string {
    const bound = JSON.stringify([this.#label, getUser(context), tool, args], sortKeys)
    return createHash('sha256').update(bound).digest('hex')
  }
}

/** What the SDK's middleware for tokens has found. */
export interface UserInfo {
  readonly extra?: Record<string, unknown> | undefined
}

/** A token is one user's, and has one subject for as long as it is renewed. */
export function toUser(auth: UserInfo | undefined, authorization: string | null | undefined): string {
  const subject = auth?.extra?.['sub']
  return typeof subject === 'string' ? `sub ${subject}` : (authorization ?? '')
}

export const getUser = ({ http }: ServerContext): string =>
  toUser(http?.authInfo, http?.req?.headers.get('authorization'))

/** A client can send the same arguments in another order. */
const sortKeys = (_key: string, value: unknown): unknown =>
  isPlainObject(value) ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))) : value

function getText(data: unknown): string {
  const { question }: { question?: unknown } = Object(data)
  return [data, question].find(each => typeof each === 'string') ?? JSON.stringify(toJson(data)) ?? 'Go on?'
}

export function toQuestion(data: unknown, requestState: string): InputRequiredResult {
  const message = toConfirmText(getText(data))
  const properties = { [ANSWER]: { type: 'boolean' as const, title: 'Yes' } }
  const requestedSchema = { type: 'object' as const, properties, required: [ANSWER] }
  return inputRequired({
    inputRequests: { [ANSWER]: inputRequired.elicit({ message, requestedSchema }) },
    requestState,
  })
}

/** Returns true for the report of a run that was interrupted, as `bus.run` returns it. */
export function isInterrupted(value: unknown): value is Omit<AnsweredRun, 'answer'> {
  const { status, continuation }: { status?: unknown; continuation?: unknown } = Object(value)
  return status === 'interrupted' && continuation instanceof Uint8Array
}
