// The global `sallyport` of a script in QuickJS: the exports of `@sallyport/frontend`. The host's client does the work.
import { BusError, CommandError, isBusError, isCommandError } from '@sallyport/protocol/internal/errors'
import type { Reference } from '../values.js'
import { AbortSignal, createRemoteSignal, getSignalId } from './abort.js'
import { callScript, createId, describeError, post, references, request, start } from './port.js'

type Run = (args: unknown, ctx: { readonly signal: AbortSignal }) => unknown

const functions = new Map<string, Run>()
const listeners = new Map<number, (event: unknown) => unknown>()
const sources = new Map<number, AsyncIterator<unknown>>()
const signals = new Map<number, (reason: unknown) => void>()
/** The call whose result is a source, by the source: it has its signal until the source ends. */
const owners = new Map<number, number>()
/** The call whose result is sent, and whether it is a source. */
let answering: { readonly id: number; hasSource: boolean } | undefined

const DONE = { done: true, value: undefined } as const

/** Returns an iterator of values that the host has. @param open - called before the first value is requested */
function createStream(id: number, open?: () => unknown): AsyncIterableIterator<unknown> {
  let isOpen = !open
  let isOver = false
  const stream: AsyncIterableIterator<unknown> & { [key: symbol]: unknown } = {
    async next() {
      if (isOver) return DONE
      if (!isOpen) open!()
      isOpen = true
      try {
        const result = (await request('next', id)) as IteratorResult<unknown>
        if (result.done) isOver = true
        return result.done ? DONE : { done: false, value: result.value }
      } catch (error) {
        isOver = true
        throw error
      }
    },
    async return() {
      if (isOver) return DONE
      isOver = true
      if (isOpen) post('return', id)
      return DONE
    },
    [Symbol.asyncIterator]: () => stream,
  }
  const { asyncDispose } = Symbol as { asyncDispose?: symbol }
  if (asyncDispose) stream[asyncDispose] = async () => void (await stream.return!())
  return stream
}

type OnMessage = (message: unknown) => void

/** Channels whose messages the host sends as they arrive. The others are read by a loop. */
const pushed = new Map<number, Channel>()

/** An ordered stream of messages from core, as that of `@sallyport/frontend`. */
class Channel {
  readonly #id = createId()
  #values: AsyncIterableIterator<unknown> | undefined
  #onmessage: OnMessage | undefined
  #isSent = false
  onend: (() => void) | undefined

  static refer(channel: Channel): Reference {
    channel.#isSent = true
    channel.#values = undefined
    channel.#push()
    return { $: 'channel', id: channel.#id }
  }

  static receive(channel: Channel, message: unknown): void {
    channel.#onmessage?.(message)
  }

  constructor(onmessage?: OnMessage) {
    this.#onmessage = onmessage
  }

  get id(): number {
    return this.#id
  }

  get onmessage(): OnMessage | undefined {
    return this.#onmessage
  }

  set onmessage(handler: OnMessage | undefined) {
    this.#onmessage = handler
    this.#push()
  }

  close(): void {
    pushed.delete(this.#id)
    if (this.#isSent) post('return', this.#id)
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<unknown> {
    return (this.#values ??= createStream(this.#id))
  }

  #push(): void {
    if (!this.#onmessage || !this.#isSent || pushed.has(this.#id)) return
    post('push', this.#id)
    pushed.set(this.#id, this)
  }
}
const { receive, refer } = Channel
for (const name of ['receive', 'refer']) Reflect.deleteProperty(Channel, name)

export function message(id: number, content: unknown): void {
  const channel = pushed.get(id)
  if (channel) callScript(() => receive(channel, content))
}

export function end(id: number): void {
  const channel = pushed.get(id)
  pushed.delete(id)
  if (channel) callScript(() => channel.onend?.())
}

references.refer = value => {
  if (value instanceof Channel) return refer(value)
  if (value instanceof AbortSignal) {
    return { $: 'signal', id: getSignalId(value, (id, reason) => post('abort', id, describeError(reason))) }
  }
  const iterable = value as Partial<AsyncIterable<unknown>>
  if (typeof iterable[Symbol.asyncIterator] !== 'function') return undefined
  const id = createId()
  sources.set(id, iterable[Symbol.asyncIterator]!())
  if (answering) {
    answering.hasSource = true
    owners.set(id, answering.id)
  }
  return { $: 'source', id }
}

references.resolve = ({ $, id }) => {
  if ($ === 'stream') return createStream(id)
  if ($ === 'sender')
    return Object.freeze({
      send: (content: unknown) => request('send', [id, content]),
      end: () => void post('end-sender', id),
    })
  return undefined
}

/** Answers a request of the host with what `run` returns. */
function answer(id: number, run: () => unknown): void {
  void (async () => {
    try {
      const value = await run()
      answering = { id, hasSource: false }
      post('answer', id, value)
    } catch (thrown) {
      const error = describeError(thrown)
      try {
        post('answer-error', id, error)
      } catch {
        post('answer-error', id, { message: error.message })
      }
    } finally {
      if (!answering?.hasSource) signals.delete(id)
      answering = undefined
    }
  })()
}

function endSource(id: number): void {
  sources.delete(id)
  const owner = owners.get(id)
  if (owner !== undefined) signals.delete(owner)
  owners.delete(id)
}

/** Calls a function that the script exposes. */
export function run(id: number, [name, args]: [string, unknown]): void {
  let signal: AbortSignal | undefined
  const ctx = Object.freeze({
    get signal() {
      if (!signal) {
        const remote = createRemoteSignal()
        signals.set(id, remote.abort)
        signal = remote.signal
        post('watch', id)
      }
      return signal
    },
  })
  answer(id, () => functions.get(name)!(args, ctx))
}

export function abort(id: number, reason: unknown): void {
  const trigger = signals.get(id)
  signals.delete(id)
  trigger?.(reason)
}

export const emitted = (id: number, event: unknown): void => callScript(() => listeners.get(id)?.(event))

export function pull(id: number, [source, isReturn]: [number, boolean]): void {
  const iterator = sources.get(source)
  answer(id, async () => {
    if (!iterator) return { done: true }
    if (isReturn) {
      sources.delete(source)
      // The signal aborts, which takes it away.
      owners.delete(source)
      return iterator.return?.()
    }
    try {
      const { done, value } = await iterator.next()
      if (done) endSource(source)
      return { done: done === true, value }
    } catch (error) {
      endSource(source)
      throw error
    }
  })
}

const invalid = (problem: string): BusError => new BusError('InvalidParams', problem)

function expose(exposed: Record<string, Run>): () => void {
  if (typeof exposed !== 'object' || exposed === null) throw invalid('expose: takes functions')
  const entries = Object.entries(exposed)
  for (const [name, each] of entries) {
    if (typeof each !== 'function')
      throw invalid(`expose: ${JSON.stringify(name)} must be a function: got ${typeof each}`)
  }
  post(
    'expose',
    0,
    entries.map(([name]) => name),
  )
  for (const [name, each] of entries) functions.set(name, each)
  return () => {
    const names = entries.filter(([name, each]) => functions.get(name) === each).map(([name]) => name)
    for (const name of names) functions.delete(name)
    post('unexpose', 0, names)
  }
}

async function listen(
  event: unknown,
  handler: (event: unknown) => unknown,
  ...options: unknown[]
): Promise<() => void> {
  if (typeof handler !== 'function') throw invalid(`The handler of event ${JSON.stringify(event)} must be a function`)
  const id = createId()
  listeners.set(id, handler)
  try {
    await request('listen', [id, event, ...options])
  } catch (error) {
    listeners.delete(id)
    throw error
  }
  return () => {
    if (listeners.delete(id)) post('unlisten', id)
  }
}

async function once(event: unknown, handler?: unknown, ...options: unknown[]): Promise<unknown> {
  if (typeof handler !== 'function') return request('once', handler === undefined ? [event] : [event, handler])
  const unlisten = listen(
    event,
    received => {
      void unlisten.then(stop => stop())
      return handler(received)
    },
    ...options,
  )
  return unlisten
}

/** Leaves the option `transfer` out: the bytes are copied to the script host, which would not find the buffer in them. */
function withoutTransfer(args: unknown[], place: number): unknown[] {
  const options = args[place] as { transfer?: unknown } | null | undefined
  if (options?.transfer === undefined) return args
  const { transfer: _, ...others } = options
  return args.with(place, others)
}

const call =
  (name: string, optionsPlace = 2) =>
  (...args: unknown[]): Promise<unknown> =>
    request(name, withoutTransfer(args, optionsPlace))

const getLabel = (): string => start.label
const getData = (): unknown => start.data

function getSecret(name: string): string {
  const secrets = start.env ?? {}
  if (Object.hasOwn(secrets, name)) return secrets[name]!
  const text = `This frontend has no secret ${JSON.stringify(name)}. Add it to "secrets" of its sandbox`
  throw new BusError('InvalidParams', text)
}

export const client: Record<string, unknown> = {
  BusError,
  CommandError,
  Channel,
  isBusError,
  isCommandError,
  get label() {
    return start.label
  },
  get data() {
    return start.data
  },
  getLabel,
  getData,
  getSecret,
  createClient: (other: unknown = client) => other,
  expose,
  invoke: call('invoke'),
  emit: call('emit'),
  emitTo: call('emitTo', 3),
  listen,
  once,
  stream(...args: unknown[]) {
    const id = createId()
    return createStream(id, () => post('open', id, withoutTransfer(args, 2)))
  },
}
Object.freeze(client)
