// The script host's end of its connection to one script: does with the client what the script asks for. All that a script sends is text, and
// text alone: whatever a script does to the inside, its messages are those of a foreign process.
import { randomFillSync } from 'node:crypto'
import type { FrontendFunctions, ScriptThread } from '@sallyport/protocol/internal/contract'
import {
  BusError,
  type BusErrorReason,
  describeThrown,
  ERROR_CODES,
  isBusError,
} from '@sallyport/protocol/internal/errors'
import { convert } from './conversions.js'
import { fixColumns } from './machine.js'
import { type CrossedError, decodeValue, encodeValue, type Reference, type ValueHooks } from './values.js'

type AnyFunction = (...args: unknown[]) => unknown
type Functions = Record<keyof FrontendFunctions, AnyFunction> & {
  BusError: typeof BusError
  Channel: new () => HostChannel
}

/** Objects of the host, of each kind, that one script can hold at once. */
const MAX_HELD = 65_536
const CALLS = new Set(['invoke', 'emit', 'emitTo', 'once'])
const MAX_ERROR_LENGTH = 8192

interface HostChannel extends AsyncIterable<unknown> {
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

interface Pending {
  resolve(value: unknown): void
  reject(error: unknown): void
}

export interface BridgeDeps {
  functions: FrontendFunctions
  thread: Pick<ScriptThread, 'print'>
  /** The name of the code in stacks, if it is the body of `bus.run`. */
  body: string | undefined
  isJson: boolean
  deliver(text: string, bytes: readonly Uint8Array[]): void
  loaded(): void
  loadFailed(error: CrossedError): void
  uncaught(error: CrossedError): void
  /** Ends the script if an error of it stands for a limit. */
  findLimit(error: CrossedError): boolean
}

export class Bridge {
  readonly #deps: BridgeDeps
  readonly #functions: Functions
  readonly #iterators = new Map<number, AsyncIterator<unknown>>()
  readonly #channels = new Map<number, HostChannel>()
  readonly #senders = new Map<number, Sender>()
  readonly #controllers = new Map<number, AbortController>()
  readonly #listeners = new Map<number, () => void>()
  readonly #exposed = new Map<string, () => void>()
  readonly #answers = new Map<number, Pending>()
  readonly #signals = new Map<number, { readonly signal: AbortSignal }>()
  readonly #timers = new Map<number, NodeJS.Timeout>()
  readonly #hooks: ValueHooks
  /** Ids of the host are negative, so that none is one of the script's. */
  #lastId = 0

  constructor(deps: BridgeDeps) {
    this.#deps = deps
    this.#functions = deps.functions as unknown as Functions
    this.#hooks = {
      refer: value => this.#refer(value),
      resolve: reference => this.#resolve(reference),
      isJson: () => deps.isJson,
    }
  }

  /** Sends what a script begins with. */
  begin(): void {
    const { getLabel, getData } = this.#functions
    const { isJson } = this.#deps
    const start = { label: getLabel(), data: getData(), isJson, seed: [...randomFillSync(new Uint32Array(4))] }
    const bytes: Uint8Array[] = []
    const text = encodeValue(start, { ...this.#hooks, isJson: () => false }, bytes)
    this.#deps.deliver(`begin 0 ${text}`, bytes)
  }

  /** Handles a message of the script. */
  receive(text: string, bytes: Uint8Array[]): string | Uint8Array | undefined {
    const first = text.indexOf(' ')
    const second = text.indexOf(' ', first + 1)
    if (first < 0 || second < 0) throw new BusError('Crashed', 'out of memory')
    const id = Number(text.slice(first + 1, second))
    const value = decodeValue(text.slice(second + 1), this.#hooks, bytes)
    return this.#handle(text.slice(0, first), id, value)
  }

  /** Ends what the thread would keep for the script. */
  stop(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer)
    for (const iterator of this.#iterators.values()) void Promise.resolve(iterator.return?.()).catch(() => {})
    for (const held of [this.#timers, this.#iterators, this.#listeners, this.#exposed, this.#signals]) held.clear()
  }

  #handle(operation: string, id: number, value: unknown): string | Uint8Array | undefined {
    const list = Array.isArray(value) ? (value as unknown[]) : []
    switch (operation) {
      case 'call': {
        const [name, ...args] = list as [keyof Functions, ...unknown[]]
        if (!CALLS.has(name)) throw new TypeError('unknown call')
        return this.#respond(id, () => (this.#functions[name] as AnyFunction)(...args))
      }
      case 'open':
        return void this.#hold(this.#iterators, id, this.#functions.stream(...list) as AsyncIterator<unknown>)
      case 'next':
        return this.#respond(id, () => this.#next(value as number))
      case 'return':
        return this.#return(id)
      case 'push': {
        const channel = this.#getChannel(id)
        channel.onend = () => this.#send('end', id, null)
        channel.onmessage = message => this.#send('message', id, message)
        return undefined
      }
      case 'listen': {
        const [listener, event, ...options] = list as [number, ...unknown[]]
        const handle = (received: unknown): void => this.#send('event', listener, received)
        return this.#respond(id, async () => {
          const unlisten = (await this.#functions.listen(event, handle, ...options)) as () => void
          this.#hold(this.#listeners, listener, unlisten)
        })
      }
      case 'unlisten':
        this.#listeners.get(id)?.()
        return void this.#listeners.delete(id)
      case 'expose':
        return this.#expose(list.map(String))
      case 'unexpose':
        for (const name of list.map(String)) {
          this.#exposed.get(name)?.()
          this.#exposed.delete(name)
        }
        return undefined
      case 'answer':
        this.#take(id)?.resolve(value)
        return undefined
      case 'answer-error':
        if (this.#deps.findLimit(value as CrossedError)) return undefined
        this.#take(id)?.reject(this.toError(value as CrossedError))
        return undefined
      case 'watch': {
        const signal = this.#signals.get(id)?.signal
        const abort = (): void => this.#send('abort', id, describeError(signal!.reason))
        if (signal?.aborted) abort()
        else signal?.addEventListener('abort', abort, { once: true })
        return undefined
      }
      case 'abort':
        this.#controllers.get(id)?.abort(this.toError(value as CrossedError))
        return void this.#controllers.delete(id)
      case 'send': {
        const [sender, message] = list as [number, unknown]
        return this.#respond(id, () => this.#senders.get(sender)?.send(message))
      }
      case 'end-sender':
        this.#senders.get(id)?.end()
        return void this.#senders.delete(id)
      case 'print':
        this.#deps.thread.print(list[0] === 'stderr' ? 'stderr' : 'stdout', `${String(list[1])}\n`)
        return undefined
      case 'timer':
        return this.#startTimer(id, Number(list[0]), list[1] === true)
      case 'clear':
        clearTimeout(this.#timers.get(id))
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
    const bytes: Uint8Array[] = []
    this.#deps.deliver(`${operation} ${id} ${encodeValue(value, this.#hooks, bytes)}`, bytes)
  }

  #respond(id: number, run: () => unknown): undefined {
    const fail = (error: unknown): void => this.#send('fail', id, describeError(error))
    try {
      void Promise.resolve(run())
        .then(value => this.#send('settle', id, value), fail)
        .catch(fail)
    } catch (error) {
      fail(error)
    }
    return undefined
  }

  #hold<T>(held: Map<number, T>, id: number, value: T): T {
    if (held.size >= MAX_HELD) throw new BusError('Overloaded', `The script has ${MAX_HELD} of these at once`)
    held.set(id, value)
    return value
  }

  async #next(id: number): Promise<unknown> {
    const channel = this.#channels.get(id)
    const iterator =
      this.#iterators.get(id) ?? (channel && this.#hold(this.#iterators, id, channel[Symbol.asyncIterator]()))
    if (!iterator) return { done: true }
    try {
      const { done, value } = await iterator.next()
      if (done) this.#iterators.delete(id)
      return { done: done === true, value: done ? null : value }
    } catch (error) {
      this.#iterators.delete(id)
      throw error
    }
  }

  #getChannel(id: number): HostChannel {
    return this.#channels.get(id) ?? this.#hold(this.#channels, id, new this.#functions.Channel())
  }

  #return(id: number): undefined {
    void Promise.resolve(this.#iterators.get(id)?.return?.()).catch(() => {})
    this.#iterators.delete(id)
    this.#channels.get(id)?.close()
    return undefined
  }

  #expose(names: readonly string[]): string | undefined {
    const added: (() => void)[] = []
    try {
      for (const name of names) {
        const run: AnyFunction = (args, ctx) => this.#run(name, args, ctx as { signal: AbortSignal })
        const remove = this.#functions.expose({ [name]: run }) as () => void
        added.push(remove)
        this.#exposed.set(name, remove)
      }
      return undefined
    } catch (error) {
      for (const remove of added) remove()
      return describeThrown(error)
    }
  }

  async #run(name: string, args: unknown, ctx: { readonly signal: AbortSignal }): Promise<unknown> {
    const id = --this.#lastId
    this.#signals.set(id, ctx)
    let isStream = false
    try {
      const result = await this.#ask('run', id, [name, args])
      isStream = typeof (result as Partial<AsyncIterable<unknown>> | null)?.[Symbol.asyncIterator] === 'function'
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

  #ask(operation: string, id: number, value: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#answers.set(id, { resolve, reject })
      this.#send(operation, id, value)
    })
  }

  #take(id: number): Pending | undefined {
    const answer = this.#answers.get(id)
    this.#answers.delete(id)
    return answer
  }

  #startTimer(id: number, ms: number, repeats: boolean): undefined {
    const fire = (): void => {
      if (!repeats) this.#timers.delete(id)
      this.#send('timer', id, null)
    }
    this.#hold(this.#timers, id, repeats ? setInterval(fire, ms) : setTimeout(fire, ms))
    return undefined
  }

  /** Values that stay in this thread. Results of the client contain none but at their top level. */
  #refer(value: object): Reference | undefined {
    const { send } = value as { send?: unknown }
    if (typeof send === 'function') {
      const id = --this.#lastId
      this.#hold(this.#senders, id, value as Sender)
      return { $: 'sender', id }
    }
    const iterable = value as Partial<AsyncIterable<unknown>>
    if (typeof iterable[Symbol.asyncIterator] !== 'function') return undefined
    const id = --this.#lastId
    this.#hold(this.#iterators, id, iterable[Symbol.asyncIterator]!())
    return { $: 'stream', id }
  }

  #resolve({ $, id }: Reference): unknown {
    switch ($) {
      case 'source': {
        const ask = (isReturn: boolean) =>
          this.#ask('pull', --this.#lastId, [id, isReturn]) as Promise<IteratorResult<unknown>>
        return { [Symbol.asyncIterator]: () => ({ next: () => ask(false), return: () => ask(true) }) }
      }
      case 'channel':
        return this.#getChannel(id)
      case 'signal':
        return (this.#controllers.get(id) ?? this.#hold(this.#controllers, id, new AbortController())).signal
      default:
        return undefined
    }
  }

  /** Returns the error of this thread for one of the script. */
  toError({ message, name, stack, reason, data, isValue }: CrossedError): unknown {
    if (isValue) return data
    const text = String(message).slice(0, MAX_ERROR_LENGTH)
    const isKnown = typeof reason === 'string' && Object.hasOwn(ERROR_CODES, reason)
    const error = isKnown
      ? new this.#functions.BusError(reason as BusErrorReason, text, data === undefined ? {} : { data })
      : new Error(text)
    const title = typeof name === 'string' ? name.slice(0, 100) : 'Error'
    if (!isKnown) Object.defineProperty(error, 'name', { value: title, configurable: true, writable: true })
    const frames = typeof stack === 'string' ? fixColumns(stack, this.#deps.body).trimEnd() : ''
    error.stack = frames === '' ? `${title}: ${text}` : `${title}: ${text}\n${frames}`
    return error
  }
}

function describeError(error: unknown): CrossedError {
  const message = describeThrown(error)
  if (isBusError(error)) return { message, reason: error.reason, ...(error.data !== undefined && { data: error.data }) }
  return { message, name: error instanceof Error ? error.name : 'Error' }
}
