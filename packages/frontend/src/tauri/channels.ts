// Channels of @tauri-apps/api know but a callback's id. Each is bridged to a channel of the bus, with the same id: what comes
// goes to the callback as `{ message, index }`, and the end as `{ end: true, index }`, whatever has ended it.
import { isUint8Array, parseChannelReference } from '@sallyport/protocol'
import type { Channel } from '../client/channel.js'
import type { Client } from '../client/client.js'
import { toAnswer } from './convert.js'

export interface BoundArguments {
  readonly args: unknown
  /** Each is to `leave` when the call is over. */
  readonly passed: readonly Passed[]
}

/** A channel as it was passed to one call. */
interface Passed {
  readonly channel: Channel
  /**
   * The call is over. Its caller may pass the channel of a failed one to the next at once (`addPluginListener` does), and a
   * callback that was told of the end is gone: so the end waits for that.
   */
  leave(failed: boolean): void
}

export class ChannelBridges {
  readonly #client: Client
  readonly #callbacks: Callbacks
  readonly #open = new Map<number, Bridge>()

  constructor(client: Client, callbacks: Callbacks) {
    this.#client = client
    this.#callbacks = callbacks
  }

  /** The arguments of a call with channels of the bus in the place of references. */
  bind(args: unknown): BoundArguments {
    if (typeof args !== 'object' || args === null || isUint8Array(args)) return { args, passed: NONE }
    let copy: Record<string, unknown> | undefined
    const passed: Passed[] = []
    for (const [name, value] of Object.entries(args)) {
      const id = parseChannelReference(value)
      if (id === undefined) continue
      const one = this.#bridge(id).enter()
      passed.push(one)
      copy ??= { ...args }
      copy[name] = one.channel
    }
    return { args: copy ?? args, passed }
  }

  /** Tells core that the channel of this callback, if it is one, is listened to no more. */
  close(id: number): void {
    this.#open.get(id)?.close()
  }

  closeAll(): void {
    for (const bridge of [...this.#open.values()]) bridge.close()
  }

  #bridge(id: number): Bridge {
    let bridge = this.#open.get(id)
    if (!bridge) {
      const tell = (data: unknown): boolean => this.#callbacks.run(id, data)
      bridge = new Bridge(
        () => this.#client.Channel.withId(id),
        tell,
        () => this.#open.delete(id),
      )
      this.#open.set(id, bridge)
    }
    return bridge
  }
}

const NONE: readonly Passed[] = []

/** One channel of a Tauri client. */
class Bridge {
  readonly #create: () => Channel
  /** False where nobody listens. */
  readonly #tell: (data: unknown) => boolean
  readonly #forget: () => void
  #channel: Channel | undefined
  #index = 0
  #calls = 0
  #closed = false

  constructor(create: () => Channel, tell: (data: unknown) => boolean, forget: () => void) {
    this.#create = create
    this.#tell = tell
    this.#forget = forget
  }

  enter(): Passed {
    this.#calls++
    const opened = this.#channel === undefined
    const channel = (this.#channel ??= this.#openChannel())
    const leave = (failed: boolean): void => {
      // Some fail before the client has seen their channels.
      if (failed && opened) channel.finish()
      this.#calls--
      if (failed) setImmediate(() => this.#endIfOver())
      else this.#endIfOver()
    }
    return { channel, leave }
  }

  /** Its callback is gone: nothing more is told, the end neither. */
  close(): void {
    this.#closed = true
    this.#forget()
    this.#channel?.close()
  }

  #openChannel(): Channel {
    const channel = this.#create()
    channel.onmessage = message => {
      if (!this.#tell({ message: toAnswer(message), index: this.#index++ })) this.close()
    }
    channel.onend = () => {
      this.#channel = undefined
      this.#endIfOver()
    }
    return channel
  }

  #endIfOver(): void {
    if (this.#calls > 0 || this.#channel || this.#closed) return
    this.#closed = true
    this.#forget()
    this.#tell({ end: true, index: this.#index })
  }
}

// The callbacks of `transformCallback`: functions that core, or whoever knows their ids, has called with `runCallback`.

export type Callback = (data: unknown) => unknown

export class Callbacks {
  /** By id; `__TAURI_INTERNALS__.callbacks`, as in Tauri. */
  readonly byId: Map<number, Callback> = new Map()

  /** An id for the callback: random, of 32 bits. Its highest bit is set: a channel that has it is none of the client's own. */
  add(callback?: Callback, once = false): number {
    const id = this.#unusedId()
    this.byId.set(id, data => {
      if (once) this.byId.delete(id)
      return callback?.(data)
    })
    return id
  }

  remove(id: number): void {
    this.byId.delete(id)
  }

  /** False for an id that nobody has, which is warned of in Tauri's words. */
  run(id: number, data: unknown): boolean {
    const callback = this.byId.get(id)
    if (callback) callback(data)
    else {
      console.warn(
        `[TAURI] Couldn't find callback id ${id}. This might happen when the app is reloaded while Rust is running an asynchronous operation.`,
      )
    }
    return callback !== undefined
  }

  #unusedId(): number {
    const [random] = crypto.getRandomValues(new Uint32Array(1))
    const id = (random! | 0x8000_0000) >>> 0
    return this.byId.has(id) ? this.#unusedId() : id
  }
}
