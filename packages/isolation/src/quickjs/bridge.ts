// The script host's end of its connection to one script: does with the client what the script asks for. All that a script sends is text, and
// text alone: whatever a script does to the inside, its messages are those of a foreign process.
import { randomFillSync } from 'node:crypto'
import { checkResultBytes, type CodecName } from '@sallyport/protocol/internal/codec'
import type { FrontendFunctions, ScriptNetwork, ScriptThread } from '@sallyport/protocol/internal/contract'
import {
  BusError,
  type BusErrorReason,
  ERROR_CODES,
  fromErrorData,
  isBusError,
} from '@sallyport/protocol/internal/errors'
import { type EventTarget, toEventTarget } from '@sallyport/protocol/internal/message'
import { MAX_IN_FLIGHT } from '@sallyport/protocol/internal/wire'
import { convert } from './conversions.js'
import { fixColumns } from './machine.js'
import { ScriptSignals } from './script-signals.js'
import {
  type CrossedError,
  decodeValue,
  describeError,
  encodeValue,
  type Reference,
  type ValueHooks,
} from './values.js'

type AnyFunction = (...args: unknown[]) => unknown
type Functions = Record<keyof FrontendFunctions, AnyFunction> & {
  BusError: typeof BusError
  Channel: new () => HostChannel
}

/** Requests, and objects of the host of each kind, that one script can have at once: as many as core has calls of one frontend. */
const MAX_HELD = MAX_IN_FLIGHT
/** Approximate bytes of a value in this thread, for each bracket and comma of its text: `[{},{}]` takes twenty times its text. */
const VALUE_COST = 64
const VALUE_STARTS = '[{,'
const MAX_TIMER_MS = 2 ** 31 - 1
/** Characters of the name of a function that a script exposes. */
const MAX_NAME_LENGTH = 1000
/** Requests of one script over the network that have no response. */
const MAX_REQUESTS = 256
const MAX_ERROR_LENGTH = 8192

interface HostChannel extends AsyncIterable<unknown> {
  /** Another one each time that the channel is passed after its end. */
  readonly id: number
  onmessage: ((message: unknown) => void) | undefined
  onend: (() => void) | undefined
  close(): void
}

interface Sender {
  send(message: unknown): unknown
  end(): void
}

/** A stream of the script. */
interface Source {
  [Symbol.asyncIterator](): Record<'next' | 'return', () => Promise<IteratorResult<unknown>>>
}

/** What the script has answered. A promise that resolves with an object calls its `then`, so the value is wrapped. */
interface Answer {
  readonly value: unknown
}

interface Pending {
  resolve(answer: Answer): void
  reject(error: unknown): void
}

interface Timer {
  handle: NodeJS.Timeout | undefined
  /** When it fires next, in milliseconds of `performance.now`. */
  due: number
  ms: number
  repeats: boolean
}

/** A message of the script: its text, and its bytes in Base64. */
type KeptMessage = readonly [text: string, ...bytes: string[]]

/** A listener of the script, which core has accepted. */
type KeptListener = readonly [listener: number, event: unknown, target: EventTarget | null]

/** A listener that core knows, or is about to. */
interface Listener {
  unlisten?: () => void
  kept?: KeptListener
}

/** What the bridge of an interrupted script holds, as JSON. Ids of the host are negative. */
export interface BridgeState {
  readonly lastId: number
  /** The id of the call of `bus.run`, which the script has not answered. */
  readonly run: number
  /** Calls of the script that have no answer, in the order of their interruptions, and core's tokens for them. */
  readonly interrupted: readonly (readonly [id: number, token: string])[]
  /** Messages that the script sent after its interruption. */
  readonly held: readonly KeptMessage[]
  readonly listeners: readonly KeptListener[]
  /** The messages with which it waits for one event. */
  readonly waits: readonly KeptMessage[]
  /** Requests for what ended with the interruption. */
  readonly ended: readonly number[]
  /** Streams and channels that ended with the interruption, and those of them that call a function for each message. */
  readonly closed: readonly number[]
  readonly pushed: readonly number[]
  /** Timers, with the milliseconds that are left. */
  readonly timers: readonly [id: number, left: number, ms: number, repeats: boolean][]
  readonly exposed: readonly string[]
}

/** What `bus.resume` passes to a script: the outcome of the call that interrupted it. */
type Resumption = { readonly value: unknown } | { readonly error: CrossedError }

/** The function of `bus.run`. */
const RUN = 'bus.run'
/** Characters and bytes of messages that an interrupted script can send until its snapshot is taken. */
const MAX_HELD_BYTES = 4 * 2 ** 20
const MAX_HELD_MESSAGES = 1024

export interface BridgeDeps {
  functions: FrontendFunctions
  thread: Pick<ScriptThread, 'print'>
  /** The name of the code in stacks, if it is the body of `bus.run`. */
  body: string | undefined
  codec: CodecName
  /** Limit of the script's memory, in bytes. What the bridge keeps of its messages has as many at most. */
  maxBytes: number
  /** Returns the message of an error of the script for the host. */
  explain(error: CrossedError, frames: string): string
  /** Of the function of `bus.run`. */
  maxResultBytes: number | undefined
  network: ScriptNetwork | undefined
  deliver(text: string, bytes: readonly Uint8Array[]): void
  loaded(): void
  loadFailed(error: CrossedError): void
  uncaught(error: CrossedError): void
  /** Ends the script if an error of it stands for a limit. */
  findLimit(error: CrossedError): boolean
  /** The script was interrupted, and is idle. */
  suspended(state: BridgeState): void
}

export class Bridge {
  readonly #deps: BridgeDeps
  readonly #functions: Functions
  readonly #iterators = new Map<number, AsyncIterator<unknown>>()
  readonly #channels = new Map<number, HostChannel>()
  readonly #senders = new Map<number, Sender>()
  readonly #scriptSignals = new ScriptSignals()
  /** Of each stream, what releases its signals. */
  readonly #releases = new Map<number, () => void>()
  /** Of bodies that the script does not have yet. */
  readonly #bodies = new WeakMap<object, () => void>()
  readonly #listeners = new Map<number, Listener>()
  readonly #exposed = new Map<string, () => void>()
  readonly #answers = new Map<number, Pending>()
  readonly #signals = new Map<number, { readonly signal: AbortSignal }>()
  readonly #timers = new Map<number, Timer>()
  readonly #hooks: ValueHooks
  readonly #isJson: boolean
  /** Requests that have no answer, of which those of two kinds are named. */
  readonly #requests = new Set<number>()
  /** Requests that an interruption waits for. */
  readonly #calls = new Set<number>()
  /** Requests to streams and channels, which end with an interruption. */
  readonly #reads = new Set<number>()
  /** The messages with which it waits for an event, by request. */
  readonly #waits = new Map<number, KeptMessage>()
  readonly #pushed = new Set<number>()
  readonly #closed = new Set<number>()
  readonly #interrupted: (readonly [id: number, token: string])[] = []
  readonly #held: KeptMessage[] = []
  #heldBytes = 0
  /** The id of the call of `bus.run` until the script has answered it. */
  #runCall: number | undefined
  #restored: BridgeState | undefined
  /** The script was interrupted, has ended, or has broken the protocol: nothing more is handled or sent. */
  #isOver = false
  #fetches = 0
  /** Characters and bytes of the message that is being handled, and of all that are kept. */
  #messageBytes = 0
  #keptBytes = 0
  /** Ids of the host are negative, so that none is one of the script's. */
  #lastId = 0

  constructor(deps: BridgeDeps) {
    this.#deps = deps
    this.#functions = deps.functions as unknown as Functions
    this.#isJson = deps.codec === 'json'
    this.#hooks = {
      refer: value => this.#refer(value),
      resolve: reference => this.#resolve(reference),
      isJson: () => this.#isJson,
    }
  }

  /** Sends what a script begins with. */
  begin(): void {
    const { getLabel, getData } = this.#functions
    const seed = [...randomFillSync(new Uint32Array(4))]
    const start = { label: getLabel(), data: getData(), isJson: this.#isJson, seed, env: this.#deps.network?.env }
    const bytes: Uint8Array[] = []
    const text = encodeValue(start, { ...this.#hooks, isJson: () => false }, bytes)
    this.#deps.deliver(`begin 0 ${text}`, bytes)
  }

  /** Handles a message of the script. */
  receive(text: string, bytes: Uint8Array[]): string | Uint8Array | undefined {
    const first = text.indexOf(' ')
    const second = text.indexOf(' ', first + 1)
    if (first < 0 || second < 0) throw new BusError('Crashed', 'out of memory')
    if (this.#isOver) return undefined
    const [operation, content] = [text.slice(0, first), text.slice(second + 1)]
    const id = Number(text.slice(first + 1, second))
    if (this.#interrupted.length > 0 && this.#mustHold(operation, id, content)) return this.#keep(text, bytes)
    this.#messageBytes = countBytes(text, bytes)
    try {
      const value = decodeValue(content, this.#hooks, bytes)
      if (operation === 'open') this.#messageBytes += countValues(content) * VALUE_COST
      return this.#handle(operation, id, value)
    } finally {
      // Unless the message has begun a call or a stream.
      this.#scriptSignals.take()()
      this.#messageBytes = 0
    }
  }

  /** Takes over what the bridge of an interrupted script held. The script goes on once `bus.run` is called. */
  restore(state: BridgeState): void {
    this.#restored = state
    this.#lastId = state.lastId
    for (const id of state.closed) this.#closed.add(id)
    // Nothing else of the script can be called before it goes on.
    this.#expose([RUN])
  }

  /** The script has nothing to do. A run that no message can let go on any more fails. */
  idle(): void {
    const run = this.#runCall
    if (run === undefined || this.#isOver || this.#requests.size + this.#calls.size + this.#timers.size > 0) return
    // Another function of it can be called, and be asked for values.
    if (this.#exposed.size > 1 || this.#answers.size > 1 || this.#interrupted.length > 0) return
    if (this.#listeners.size + this.#channels.size > 0) return
    const text = 'The code stopped at an await that nothing can end: no call, timer or listener is left'
    this.#take(run)?.reject(this.toError({ message: `${text}. Settle the promise that it awaits`, name: 'Error' }))
  }

  /** Ends what the thread would keep for the script. */
  stop(): void {
    this.#isOver = true
    for (const { handle } of this.#timers.values()) clearTimeout(handle)
    for (const iterator of this.#iterators.values()) void Promise.resolve(iterator.return?.()).catch(() => {})
    for (const held of [this.#timers, this.#iterators, this.#channels, this.#senders, this.#releases]) held.clear()
    for (const held of [this.#listeners, this.#exposed, this.#signals, this.#answers, this.#waits]) held.clear()
  }

  #handle(operation: string, id: number, value: unknown): string | Uint8Array | undefined {
    const list = Array.isArray(value) ? (value as unknown[]) : []
    switch (operation) {
      case 'invoke':
      case 'emit':
      case 'emitTo':
        return this.#respond(id, () => this.#functions[operation](...list), this.#calls)
      case 'once':
        return this.#respond(id, this.#prepareWait(id, list))
      case 'fetch': {
        this.#admit(this.#requests, id)
        // Until the body ends, too.
        const release = this.#claim()
        const failed = (error: unknown): never => {
          release()
          throw error
        }
        return this.#respond(id, () => this.#fetch(list, release).catch(failed), this.#calls)
      }
      case 'open': {
        this.#admit(this.#iterators, id)
        const release = this.#claim()
        try {
          this.#iterators.set(id, this.#functions.stream(...list) as AsyncIterator<unknown>)
        } catch (error) {
          release()
          throw error
        }
        return void this.#releases.set(id, release)
      }
      case 'next':
        return this.#respond(id, () => this.#next(value as number), this.#reads)
      case 'return':
        return this.#return(id)
      case 'push': {
        const channel = this.#getChannel(id)
        this.#pushed.add(id)
        channel.onmessage = message => this.#send('message', id, message)
        return undefined
      }
      case 'listen':
        return this.#respond(id, () => this.#listen(list as [number, ...unknown[]]), this.#calls)
      case 'unlisten':
        this.#listeners.get(id)?.unlisten?.()
        return void this.#listeners.delete(id)
      case 'expose':
        return this.#expose(list.map(String))
      case 'unexpose':
        return this.#unexpose(list.map(String))
      case 'answer':
        return this.#take(id)?.resolve({ value }) as undefined
      case 'answer-error':
        if (this.#deps.findLimit(value as CrossedError)) return undefined
        return this.#take(id)?.reject(this.toError(value as CrossedError)) as undefined
      case 'watch': {
        const signal = this.#signals.get(id)?.signal
        // Once for each call.
        this.#signals.delete(id)
        const abort = (): void => this.#send('abort', id, describeError(signal!.reason))
        if (signal?.aborted) abort()
        else signal?.addEventListener('abort', abort, { once: true })
        return undefined
      }
      case 'abort':
        this.#scriptSignals.abort(id, value as CrossedError)
        return undefined
      case 'send': {
        const [sender, message] = list as [number, unknown]
        return this.#respond(id, () => this.#getSender(sender)?.send(message), this.#reads)
      }
      case 'end-sender':
        this.#senders.get(id)?.end()
        return void this.#senders.delete(id)
      case 'print':
        this.#deps.thread.print(list[0] === 'stderr' ? 'stderr' : 'stdout', `${String(list[1])}\n`)
        return undefined
      case 'timer':
        return this.#startTimer(id, Math.min(Math.max(Number(list[0]) || 0, 0), MAX_TIMER_MS), list[1] === true)
      case 'clear':
        clearTimeout(this.#timers.get(id)?.handle)
        return void this.#timers.delete(id)
      case 'loaded':
        this.#deps.loaded()
        return undefined
      case 'load-error':
        this.#deps.loadFailed(value as CrossedError)
        return undefined
      case 'fault':
        this.#deps.uncaught(value as CrossedError)
        return undefined
      default:
        return convert(operation, value)
    }
  }

  #send(operation: string, id: number, value: unknown): void {
    if (this.#isOver) return
    const bytes: Uint8Array[] = []
    this.#deps.deliver(`${operation} ${id} ${encodeValue(value, this.#hooks, bytes)}`, bytes)
  }

  /** @param kind - also holds the id until the request is answered */
  #respond(id: number, run: () => unknown, kind?: Set<number>): undefined {
    this.#admit(this.#requests, id)
    const release = this.#claim()
    this.#requests.add(id)
    kind?.add(id)
    const end = (operation: 'settle' | 'fail', value: unknown): void => {
      release()
      this.#waits.delete(id)
      this.#requests.delete(id)
      kind?.delete(id)
      this.#send(operation, id, value)
      this.#suspendIfIdle()
    }
    const fail = (error: unknown): void => {
      const isInterrupted = isBusError(error, 'Interrupted') && kind === this.#calls
      if (!isInterrupted || this.#runCall === undefined) return end('fail', describeError(error))
      // Only core answers so, and it has reported it to the host. The script gets its answer in another run.
      release()
      this.#requests.delete(id)
      kind.delete(id)
      this.#interrupted.push([id, String(error.data)])
      this.#suspendIfIdle()
    }
    try {
      void Promise.resolve(run())
        .then(value => end('settle', value), fail)
        .catch(fail)
    } catch (error) {
      fail(error)
    }
    return undefined
  }

  async #listen([listener, event, ...options]: [number, ...unknown[]]): Promise<void> {
    const held: Listener = this.#hold(this.#listeners, listener, {})
    const handle = (received: unknown): void => this.#send('event', listener, received)
    try {
      const unlisten = (await this.#functions.listen(event, handle, ...options)) as () => void
      // Removed meanwhile, or with the end of the script.
      if (this.#listeners.get(listener) !== held) return unlisten()
      held.unlisten = unlisten
      // Core has accepted the event and the target, which bounds their length. The script can have added anything to them.
      const { target } = (options[0] ?? {}) as { target?: unknown }
      held.kept = [listener, event, target === undefined ? null : toEventTarget(target)]
    } catch (error) {
      if (this.#listeners.get(listener) === held) this.#listeners.delete(listener)
      throw error
    }
  }

  /** Returns a function that waits for an event. No more of the message is kept than what the client reads. */
  #prepareWait(id: number, [event, options]: unknown[]): () => unknown {
    // It would be a handler.
    if (typeof options === 'function') return this.#refuse()
    const given = (options ?? {}) as Readonly<Record<string, unknown>>
    const { timeout, signal } = given
    // The script can have added anything to it, which the client would keep.
    const target = given['target'] === undefined ? undefined : toEventTarget(given['target'])
    const kept = {
      target,
      timeout,
      signal: signal === undefined ? undefined : { $: 'signal', id: this.#scriptSignals.getId(signal) },
    }
    return () => {
      const received = this.#functions.once(event, target === undefined ? options : { ...given, target })
      this.#waits.set(id, [`once ${id} ${JSON.stringify([event, kept])}`])
      return received
    }
  }

  /** True for a message that would begin something, or is about what a held message begins. */
  #mustHold(operation: string, id: number, content: string): boolean {
    switch (operation) {
      case 'invoke':
      case 'emit':
      case 'emitTo':
      case 'once':
      case 'fetch':
      case 'open':
      case 'listen':
        return true
      case 'next':
        return !this.#isKnown(Number(content))
      case 'push':
      case 'return':
        return !this.#isKnown(id)
      case 'abort':
        return !this.#scriptSignals.has(id)
      default:
        return false
    }
  }

  #isKnown(id: number): boolean {
    return this.#iterators.has(id) || this.#channels.has(id) || this.#closed.has(id)
  }

  #keep(text: string, bytes: readonly Uint8Array[]): undefined {
    this.#heldBytes += countBytes(text, bytes)
    if (this.#held.length >= MAX_HELD_MESSAGES || this.#heldBytes > MAX_HELD_BYTES) {
      const max = `${MAX_HELD_MESSAGES} messages, or ${MAX_HELD_BYTES} bytes`
      throw new BusError('Overloaded', `The script sent more than ${max} after it was interrupted`)
    }
    this.#held.push(toKept(text, bytes))
    return undefined
  }

  #suspendIfIdle(): void {
    const run = this.#runCall
    if (run === undefined || this.#isOver || this.#interrupted.length === 0 || this.#calls.size > 0) return
    const state = this.#capture(run)
    this.#isOver = true
    this.#deps.suspended(state)
  }

  #capture(run: number): BridgeState {
    const now = performance.now()
    return {
      lastId: this.#lastId,
      run,
      interrupted: this.#interrupted,
      held: this.#held,
      listeners: [...this.#listeners.values()].flatMap(({ kept }) => (kept ? [kept] : [])),
      waits: [...this.#waits.values()],
      ended: [...this.#reads],
      closed: [...this.#iterators.keys(), ...this.#channels.keys(), ...this.#senders.keys(), ...this.#closed],
      pushed: [...this.#pushed],
      timers: [...this.#timers].map(([id, { due, ms, repeats }]) => [id, Math.max(0, due - now), ms, repeats]),
      exposed: [...this.#exposed.keys()],
    }
  }

  /** Lets an interrupted script go on. What it did before comes first, its answer last. */
  #resume(state: BridgeState, resumption: Resumption, ctx: { readonly signal: AbortSignal }): Promise<unknown> {
    this.#restored = undefined
    this.#expose(state.exposed.filter(name => name !== RUN))
    const { run } = state
    this.#runCall = run
    const answer = new Promise<Answer>((resolve, reject) => this.#answers.set(run, { resolve, reject }))
    this.#signals.set(run, ctx)
    this.#handle('watch', run, null)
    const [answered, ...rest] = state.interrupted
    // The script is not idle before it has this answer.
    this.#calls.add(answered![0])
    const { getLabel } = this.#functions
    this.#send('resumed', 0, { label: getLabel(), isJson: this.#isJson, env: this.#deps.network?.env })
    for (const [id, left, ms, repeats] of state.timers) this.#startTimer(id, ms, repeats, left)
    for (const [listener, event, target] of state.listeners) {
      const failed = (error: unknown): void => this.#deps.uncaught(describeError(error))
      const listen = async (): Promise<void> =>
        this.#listen([listener, event, { ...(target !== null && { target }) }]).catch(failed)
      this.#respond(this.#createId(), listen, this.#calls)
    }
    for (const kept of state.waits) this.#replay(kept)
    // While another call has no answer, nothing new begins.
    this.#interrupted.push(...rest)
    if (rest.length > 0) this.#held.push(...state.held)
    for (const id of state.ended) this.#send('fail', id, describeError(createClosedError()))
    for (const id of state.pushed) this.#send('end', id, null)
    if (rest.length === 0) for (const kept of state.held) this.#replay(kept)
    this.#calls.delete(answered![0])
    if ('error' in resumption) this.#send('fail', answered![0], resumption.error)
    else this.#send('settle', answered![0], resumption.value)
    this.#suspendIfIdle()
    return answer.then(({ value }) => value)
  }

  #replay([text, ...bytes]: KeptMessage): void {
    const contents = bytes.map(each => Uint8Array.from(Buffer.from(each, 'base64')))
    try {
      this.receive(text, contents)
    } catch (error) {
      this.#send('fail', Number(text.split(' ', 2)[1]), describeError(error))
    }
  }

  #getSender(id: number): Sender | undefined {
    if (this.#closed.has(id)) throw createClosedError()
    return this.#senders.get(id)
  }

  /** Ids of the host are negative, so that none is one of the script's. */
  #createId(): number {
    return --this.#lastId
  }

  #hold<T>(held: Map<number, T>, id: number, value: T): T {
    this.#admit(held, id)
    held.set(id, value)
    return value
  }

  /** @throws {BusError} Overloaded if as many are held as can be; InvalidRequest if the id is held: its value would be lost, and run on */
  #admit(held: Pick<ReadonlySet<number>, 'has' | 'size'>, id: number): void {
    if (!Number.isSafeInteger(id) || id < this.#lastId || held.has(id)) this.#refuse()
    if (held.size < MAX_HELD) return
    const text = `Message refused: ${MAX_HELD} calls, streams, listeners or timers of the script have not ended. Await some of them first`
    throw new BusError('Overloaded', text, { data: { limit: 'inFlight', max: MAX_HELD } })
  }

  /** Ends a script for a message that the inside never sends. @throws {BusError} InvalidRequest */
  #refuse(): never {
    const error = new BusError('InvalidRequest', 'The script was ended: it sent its host a forged message')
    this.#deps.uncaught(describeError(error))
    this.#isOver = true
    throw error
  }

  /**
   * Keeps what the message that is being handled has begun with: its bytes count, and its signals can abort, until the returned
   * function is called.
   *
   * @throws {BusError} Overloaded
   */
  #claim(): () => void {
    const bytes = this.#messageBytes
    const { maxBytes } = this.#deps
    if (this.#keptBytes + bytes > maxBytes) {
      const max = maxBytes / 2 ** 20
      const text = `Message refused: those of the script that have no answer exceed its memory (${max} MiB). Await some of them first`
      throw new BusError('Overloaded', text, { data: { limit: 'memory', max } })
    }
    this.#messageBytes = 0
    this.#keptBytes += bytes
    const release = this.#scriptSignals.take()
    let isKept = true
    return () => {
      if (isKept) this.#keptBytes -= bytes
      isKept = false
      release()
    }
  }

  /** Sends a request to the broker. The script gets the body as a stream. */
  async #fetch([request, signal]: readonly unknown[], release: () => void): Promise<unknown> {
    const { network } = this.#deps
    if (!network) throw new TypeError('The script has no network any more')
    if (this.#fetches >= MAX_REQUESTS) {
      const message = `Request not sent: ${MAX_REQUESTS} requests have no response`
      throw new BusError('Overloaded', message, { data: { limit: 'requests', max: MAX_REQUESTS } })
    }
    const { url, method, redirect, headers, body } = request as Record<string, unknown>
    if (!/^https?:/.test(String(url))) throw new TypeError('fetch: the URL must begin with http: or https:')
    this.#fetches++
    try {
      const init = { method, redirect, headers, body, ...(signal ? { signal } : {}) } as RequestInit
      const response = await network.fetch(String(url), init)
      const { status, statusText, url: finalUrl, redirected, body: content } = response
      if (content) this.#bodies.set(content, release)
      else release()
      return { status, statusText, url: finalUrl, redirected, headers: [...response.headers], body: content }
    } finally {
      this.#fetches--
    }
  }

  async #next(id: number): Promise<unknown> {
    if (this.#closed.has(id)) throw createClosedError()
    const channel = this.#channels.get(id)
    const iterator = this.#iterators.get(id) ?? (channel && this.#hold(this.#iterators, id, this.#read(id, channel)))
    if (!iterator) return { done: true }
    try {
      const { done, value } = await iterator.next()
      if (done) this.#drop(id)
      return { done: done === true, value: done ? null : value }
    } catch (error) {
      this.#drop(id)
      throw error
    }
  }

  /** Reads a channel, which is forgotten at its end. */
  #read(id: number, channel: HostChannel): AsyncIterator<unknown> {
    const iterator = channel[Symbol.asyncIterator]()
    const { id: first } = channel
    const next = async (): Promise<IteratorResult<unknown>> => {
      const result = await iterator.next()
      if (result.done && channel.id === first) this.#channels.delete(id)
      return result
    }
    return { next, return: () => iterator.return!() }
  }

  #drop(id: number): void {
    this.#iterators.delete(id)
    this.#releases.get(id)?.()
    this.#releases.delete(id)
  }

  #getChannel(id: number): HostChannel {
    // A channel can be passed again.
    this.#closed.delete(id)
    const known = this.#channels.get(id)
    if (known) return known
    const channel = this.#hold(this.#channels, id, new this.#functions.Channel())
    channel.onend = () => {
      this.#channels.delete(id)
      if (this.#pushed.delete(id)) this.#send('end', id, null)
    }
    return channel
  }

  #return(id: number): undefined {
    void Promise.resolve(this.#iterators.get(id)?.return?.()).catch(() => {})
    this.#drop(id)
    this.#pushed.delete(id)
    this.#channels.get(id)?.close()
    return undefined
  }

  #expose(names: readonly string[]): undefined {
    const added: string[] = []
    try {
      for (const name of names) {
        if (name.length > MAX_NAME_LENGTH || this.#exposed.size >= MAX_HELD)
          throw new BusError(
            'Overloaded',
            `A script exposes up to ${MAX_HELD} functions, with up to ${MAX_NAME_LENGTH} characters`,
          )
        const run: AnyFunction = (args, ctx) => this.#run(name, args, ctx as { signal: AbortSignal })
        this.#exposed.set(name, this.#functions.expose({ [name]: run }) as () => void)
        added.push(name)
      }
    } catch (error) {
      this.#unexpose(added)
      throw error
    }
  }

  #unexpose(names: readonly string[]): undefined {
    for (const name of names) {
      this.#exposed.get(name)?.()
      this.#exposed.delete(name)
    }
    return undefined
  }

  async #run(name: string, args: unknown, ctx: { readonly signal: AbortSignal }): Promise<unknown> {
    if (name === RUN && this.#restored) return this.#resume(this.#restored, args as Resumption, ctx)
    const id = this.#createId()
    this.#signals.set(id, ctx)
    let isStream = false
    if (name === RUN) this.#runCall = id
    try {
      const { value: result } = await this.#ask('run', id, [name, args])
      isStream = isSource(result)
      const { maxResultBytes, codec } = this.#deps
      if (name === RUN && !isStream && maxResultBytes !== undefined) checkResultBytes(result, maxResultBytes, codec)
      return isStream ? this.#keepSignal(id, result as Source) : result
    } finally {
      if (!isStream) this.#signals.delete(id)
    }
  }

  /** Returns a stream of the script, whose function has its signal until the stream ends. */
  #keepSignal(id: number, source: Source): Source {
    const iterator = source[Symbol.asyncIterator]()
    const read = async (
      step: Promise<IteratorResult<unknown>>,
      isReturn: boolean,
    ): Promise<IteratorResult<unknown>> => {
      let isOver = true
      try {
        const result = await step
        isOver = isReturn || result.done === true
        return result
      } finally {
        if (isOver) this.#signals.delete(id)
      }
    }
    const next = () => read(iterator.next(), false)
    return { [Symbol.asyncIterator]: () => ({ next, return: () => read(iterator.return(), true) }) }
  }

  #ask(operation: string, id: number, value: unknown): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#answers.set(id, { resolve, reject })
      this.#send(operation, id, value)
    })
  }

  #take(id: number): Pending | undefined {
    const answer = this.#answers.get(id)
    this.#answers.delete(id)
    if (id === this.#runCall) this.#runCall = undefined
    return answer
  }

  /** @param first - milliseconds until it fires for the first time */
  #startTimer(id: number, ms: number, repeats: boolean, first = ms): undefined {
    const fire = (): void => {
      if (!repeats) this.#timers.delete(id)
      timer.due = performance.now() + ms
      this.#send('timer', id, null)
    }
    const fireAndRepeat = (): void => {
      timer.handle = setInterval(fire, ms)
      fire()
    }
    const start = (): NodeJS.Timeout =>
      repeats && first === ms ? setInterval(fire, ms) : setTimeout(repeats ? fireAndRepeat : fire, first)
    const timer: Timer = { handle: undefined, due: performance.now() + first, ms, repeats }
    // One that is refused does not run.
    this.#hold(this.#timers, id, timer)
    timer.handle = start()
    return undefined
  }

  /** Values that stay in this thread. Results of the client contain none but at their top level. */
  #refer(value: object): Reference | undefined {
    const { send } = value as { send?: unknown }
    if (typeof send === 'function') {
      const id = this.#createId()
      this.#hold(this.#senders, id, value as Sender)
      return { $: 'sender', id }
    }
    const iterable = value as Partial<AsyncIterable<unknown>>
    if (typeof iterable[Symbol.asyncIterator] !== 'function') return undefined
    const id = this.#createId()
    this.#hold(this.#iterators, id, iterable[Symbol.asyncIterator]!())
    const release = this.#bodies.get(value)
    if (release) this.#releases.set(id, release)
    return { $: 'stream', id }
  }

  #resolve({ $, id }: Reference): unknown {
    switch ($) {
      case 'source': {
        const ask = async (isReturn: boolean): Promise<IteratorResult<unknown>> => {
          const answer = await this.#ask('pull', this.#createId(), [id, isReturn])
          const { done, value } = Object(answer.value) as Record<'done' | 'value', unknown>
          return { done: done === true, value }
        }
        return { [Symbol.asyncIterator]: () => ({ next: () => ask(false), return: () => ask(true) }) }
      }
      case 'channel':
        return this.#getChannel(id)
      case 'signal':
        return this.#scriptSignals.get(id)
      default:
        return undefined
    }
  }

  /** Returns the error of this thread for one of the script. */
  toError({ message, name, stack, reason, data, isValue, thrown }: CrossedError): unknown {
    if (isValue) return data
    const frames = typeof stack === 'string' ? fixColumns(stack, this.#deps.body).trimEnd() : ''
    const own = String(message).slice(0, MAX_ERROR_LENGTH)
    const text = this.#deps.explain({ ...(typeof name === 'string' && { name }), message: own }, frames)
    const isKnown = typeof reason === 'string' && Object.hasOwn(ERROR_CODES, reason)
    const title = typeof name === 'string' ? name.slice(0, 100) : 'Error'
    const error = isKnown
      ? new this.#functions.BusError(reason as BusErrorReason, text, data === undefined ? {} : { data })
      : fromErrorData({ ...Object(thrown), name: title, message: text })!
    error.stack = frames === '' ? `${title}: ${text}` : `${title}: ${text}\n${frames}`
    return error
  }
}

const isSource = (value: unknown): boolean =>
  typeof (value as Partial<AsyncIterable<unknown>> | null | undefined)?.[Symbol.asyncIterator] === 'function'

const toKept = (text: string, bytes: readonly Uint8Array[]): KeptMessage => [
  text,
  ...bytes.map(each => Buffer.from(each).toString('base64')),
]

const countBytes = (text: string, bytes: readonly Uint8Array[]): number =>
  bytes.reduce((sum, { byteLength }) => sum + byteLength, text.length)

/** Returns the number of values in a JSON text, or more: texts in it can have the same characters. */
function countValues(text: string): number {
  let count = 1
  for (let at = 0; at < text.length; at++) if (VALUE_STARTS.includes(text[at]!)) count++
  return count
}

const createClosedError = (): BusError =>
  new BusError('Disconnected', 'The stream or channel was open when the run was interrupted, and is closed', {
    data: { delivered: 'unknown' },
  })
