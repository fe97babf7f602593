// The client of a script in a VM of QuickJS. It has what `bus.run` needs of its code: a run ends with its calls, and a command can interrupt it.
// What the client holds is in the memory of the VM, and with that in a snapshot: a call that was interrupted is a promise which nothing has
// settled yet. Its phases:
//
//   running       each call has the connection of the VM's link
//   interrupted   a call was. New calls wait in another connection, whose link is held, until the calls in flight have ended
//   suspended     the VM is idle: it ends, and its memory is a snapshot
//   resumed       the first call that was interrupted has its answer. If there are others, new calls wait on, and the run is suspended again
import { checkResultBytes } from '@sallyport/protocol/internal/codec'
import { BusError, createCallPromise, isBusError, toBusError } from '@sallyport/protocol/internal/errors'
import { RUN_METHOD } from '@sallyport/protocol/internal/message'
import { getPlainCalls, isStream, waitForLastCalls } from '@sallyport/protocol/internal/rpc'
import { createDeferred } from '@sallyport/protocol/internal/util'
import type { Link } from '@sallyport/protocol/internal/wire'
import { Client, type ClientOptions } from './client.js'
import type { Connection } from './connection.js'
import type { ExposedFunctions } from './exposed-functions.js'
import type { InvokeOptions } from './arguments.js'
import { synchronize } from './synchronize.js'

const CLOSED = 'The stream or channel was open when the run was interrupted, and is closed'

/** A link of the VM. Messages arrive over the one that was opened last. */
export interface ScriptLink extends Link {
  /** Lets `send` wait: its `room` resolves with `release`. */
  hold(): void
  release(): void
  /** From now on, messages arrive over this link. */
  open(): void
}

/** What a script waits for beside its client. */
export interface OtherWork {
  /** Requests of `fetch` that have no response: an interruption waits for them. */
  readonly requests: number
  /** Timers, and reads of bodies. */
  readonly others: number
}

/** What `bus.resume` passes to a script: the outcome of the call that interrupted it. */
type Resumption = { readonly value: unknown } | { readonly error: Pick<BusError, 'message' | 'reason' | 'data'> }

interface InterruptedCall {
  /** Core's, which the host knows the interruption by. */
  readonly token: string
  resolve(value: unknown): void
  reject(error: BusError): void
}

export interface ScriptClientOptions extends ClientOptions {
  /** Makes an error say more about where it was thrown. */
  explain(thrown: unknown): void
  createLink(): ScriptLink
  /** Called for each call that the client refuses with `Overloaded`, and each event that it drops. */
  onUnsent(): void
  /** Called once the answer of `bus.run` was sent, unless it is a stream. */
  answered(): void
  /** Of the function of `bus.run`. */
  maxResultBytes?: number | undefined
}

export class ScriptClient extends Client {
  readonly #options: ScriptClientOptions
  readonly #interrupted: InterruptedCall[] = []
  /** Of an interrupted script, the connection over which messages arrive. That for new calls is held. */
  #open: Connection | undefined
  #held: ScriptLink | undefined
  /** Of a script that goes on, the connection before the snapshot. */
  #ended: Connection | undefined
  #onResume: (() => void) | undefined
  /** The code of `bus.run`, until it has returned. */
  #running: { readonly result: Promise<unknown>; reject(error: unknown): void } | undefined
  /** The last call of `bus.run`: one after each resume, with the same result. */
  #runCall: symbol | undefined
  /** What the script exposes, and what removes it. */
  readonly #exposed = new Map<ExposedFunctions, () => void>()
  /** That for new calls. */
  connection: Connection

  constructor(options: ScriptClientOptions) {
    const { explain, createLink } = options
    const link = createLink()
    link.open()
    super(link, {
      ...options,
      reconnects: true,
      toError(name, thrown) {
        explain(thrown)
        return toBusError(name, thrown)
      },
    })
    this.#options = options
    this.connection = Client.getParts(this).connection
  }

  override invoke<T = unknown>(command: string, args?: object, options?: InvokeOptions): Promise<T> {
    return createCallPromise<T>((onResult, onError) => {
      const resolve = onResult as (result: unknown) => void
      const reject = (error: BusError): void => {
        // Only core answers so, and it has reported it to the host. The call gets its answer in another VM.
        if (this.#running && isBusError(error, 'Interrupted'))
          this.#interrupt({ resolve, reject: onError, token: String(error.data) })
        else onError(error)
      }
      const { connection } = this
      const text = options === undefined && typeof command === 'string' && command !== '' ? toFlatJson(args) : undefined
      if (text !== undefined && connection.callText(command, text, resolve, reject)) return
      connection.call({ command, args, options, stream: undefined, resolve, reject })
    })
  }

  override readonly expose: Client['expose'] = functions => {
    const remove = super.expose(functions)
    const added = functions as unknown as ExposedFunctions
    this.#exposed.set(added, remove)
    return () => {
      this.#exposed.get(added)?.()
      this.#exposed.delete(added)
    }
  }

  /** Exposes the code of `bus.run`. */
  exposeRun(body: (args: unknown) => unknown): void {
    const run = (args: unknown): Promise<unknown> => {
      if (this.#ended) this.#resume(args as Resumption)
      else this.#start(body, args)
      const { result } = this.#running!
      const call = (this.#runCall = Symbol(RUN_METHOD))
      const answered = (value?: unknown): void => {
        if (this.#runCall === call && !isStream(value)) this.#options.answered()
      }
      // After the client has encoded the answer, which calls code of the script.
      void Promise.resolve().then(() => result.then(answered, () => answered()))
      return result
    }
    super.expose({ [RUN_METHOD]: run } as never)
  }

  /** Continues over another link, as the client of any frontend. */
  reconnect(): Promise<void> {
    const link = this.#options.createLink()
    link.open()
    const reconnected = Client.reconnect(this, link)
    this.connection = Client.getParts(this).connection
    return reconnected
  }

  /** Lets calls of functions that are not exposed yet wait. Resolves once core has handled what the script sent while it was loaded. */
  async load(loaded: Promise<unknown>): Promise<void> {
    Client.getParts(this).functions.waitFor(loaded)
    await loaded
    await synchronize(this.connection)
  }

  /**
   * Called when the VM has nothing to do. Fails a run that nothing can let go on any more.
   *
   * @returns the tokens of an interrupted script that is to be suspended
   */
  idle({ requests, others }: OtherWork): readonly string[] | undefined {
    if (!this.#running || this.#ended) return undefined
    const open = this.#open ?? this.connection
    if (requests > 0 || getPlainCalls(open.pending).length > 0) return undefined
    if (this.#interrupted.length > 0) return this.#suspend()
    const waits =
      others +
      open.pending.size +
      open.streams.receivers.size +
      Client.getParts(this).listeners.all.size +
      this.#exposed.size
    if (waits > 0) return undefined
    const text = 'The code stopped at an await that nothing can end: no call, timer or listener is left'
    this.#running.reject(new Error(`${text}. Settle the promise that it awaits`))
    return undefined
  }

  /**
   * Takes over a link of another host. The script goes on once `bus.run` is called: until then nothing of it can be.
   *
   * @param onResume called when it goes on
   */
  restored(onResume: () => void): void {
    this.#ended = this.#open
    this.#onResume = onResume
    if (this.#interrupted.length === 1) {
      this.#open = undefined
      return this.#held!.open()
    }
    const link = this.#options.createLink()
    this.#open = Client.open(this, link)
    link.open()
  }

  #start(body: (args: unknown) => unknown, args: unknown): void {
    const { promise, reject } = createDeferred<never>()
    const result = this.#end(Promise.race([promise, (async () => body(args))()]))
    this.#running = { result, reject }
  }

  async #end(running: Promise<unknown>): Promise<unknown> {
    try {
      const result = await running
      const { maxResultBytes, codec = 'json' } = this.#options
      if (maxResultBytes !== undefined && !isStream(result)) checkResultBytes(result, maxResultBytes, codec)
      return result
    } finally {
      this.#running = undefined
      await waitForLastCalls((this.#open ?? this.connection).pending)
    }
  }

  #interrupt(call: InterruptedCall): void {
    this.#interrupted.push(call)
    if (this.#open) return
    this.#open = this.connection
    this.#held = this.#options.createLink()
    this.#held.hold()
    this.connection = Client.open(this, this.#held)
    Client.use(this, this.connection)
    // They end, and have no id in core from now on.
    Client.getParts(this).listeners.disconnected()
  }

  #suspend(): string[] {
    for (const remove of this.#exposed.values()) remove()
    return this.#interrupted.map(({ token }) => token)
  }

  #resume(resumption: Resumption): void {
    this.#ended?.end(new BusError('Disconnected', CLOSED))
    this.#ended = undefined
    this.#onResume?.()
    for (const functions of this.#exposed.keys()) this.#exposed.set(functions, super.expose(functions))
    const { resolve, reject } = this.#interrupted.shift()!
    if (this.#interrupted.length === 0) {
      this.#held!.release()
      void Client.getParts(this).listeners.resubscribe(this.connection)
    }
    if ('value' in resumption) return resolve(resumption.value)
    const { reason, message, data } = resumption.error
    reject(new BusError(reason, message, data === undefined ? {} : { data }))
  }
}

const { getPrototypeOf, prototype } = Object

/** Returns the JSON of what JSON carries as it is, as most arguments: the VM takes longest for the checks of all else. */
function toFlatJson(args: unknown): string | undefined {
  if (typeof args !== 'object' || args === null || getPrototypeOf(args) !== prototype) return undefined
  for (const key in args) {
    if (key === '__proto__') return undefined
    const value = (args as Record<string, unknown>)[key]
    if (typeof value === 'string') {
      if (value.length > MAX_FLAT_LENGTH) return undefined
    } else if (typeof value === 'number') {
      // Zero can be negative.
      if (value - value !== 0 || (value === 0 && 1 / value < 0)) return undefined
    } else if (value !== null && typeof value !== 'boolean') return undefined
  }
  const text = JSON.stringify(args)
  // What is escaped can be a lone surrogate, which is refused, as is what is too large.
  return text.length > MAX_FLAT_LENGTH || text.includes('\\u') ? undefined : text
}

const MAX_FLAT_LENGTH = 4096
