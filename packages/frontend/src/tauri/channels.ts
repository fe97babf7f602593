// The callbacks and channels of @tauri-apps/api, whose channels consist of a callback's id. Each is bridged to a channel of the bus
// with the same id. Its callback gets messages as `{ message, index }`, and any end as `{ end: true, index }`. The package up to 2.4 reads
// `id` in place of `index`, and knows no end.
import { parseChannelReference } from '@sallyport/protocol/internal/message'
import { onNextTick } from '@sallyport/protocol/internal/util'
import type { Channel } from '../client/channel.js'
import type { Client } from '../client/client.js'
import { serializePayload, toAnswer } from './convert.js'

export type Callback = (data: unknown) => unknown

/** The callbacks of `transformCallback`, which code that knows their ids runs with `runCallback`. */
export class Callbacks {
  /** Callbacks by id; `__TAURI_INTERNALS__.callbacks`, as in Tauri. */
  readonly byId: Map<number, Callback> = new Map()

  /** Adds a callback. Returns a random id of 32 bits, whose highest bit is set: the client's own channels have lower ids. */
  add(callback?: Callback, once = false): number {
    const id = this.#createId()
    this.byId.set(id, data => {
      if (once) this.byId.delete(id)
      return callback?.(data)
    })
    return id
  }

  remove(id: number): void {
    this.byId.delete(id)
  }

  /** Runs a callback. Returns false and warns in Tauri's words if no callback has this id. */
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

  #createId(): number {
    const [random] = crypto.getRandomValues(new Uint32Array(1))
    const id = (random! | 0x8000_0000) >>> 0
    return this.byId.has(id) ? this.#createId() : id
  }
}

export interface BoundArguments {
  readonly args: unknown
  /** The bridges to `leave` when the call has settled. */
  readonly bridges: readonly EnteredBridge[]
}

interface EnteredBridge {
  readonly channel: Channel
  /**
   * Must be called when the call has settled. The end of a failed call's channel is delayed: the caller can pass the channel to
   * the next call immediately, as `addPluginListener` does, and the callback would be removed with the end.
   */
  leave(hasFailed: boolean): void
}

const NO_BRIDGES: readonly EnteredBridge[] = []

export class ChannelBridges {
  readonly #client: Client
  readonly #callbacks: Callbacks
  readonly #open = new Map<number, Bridge>()

  constructor(client: Client, callbacks: Callbacks) {
    this.#client = client
    this.#callbacks = callbacks
  }

  /** Serializes a call's arguments. Tauri's channels among them become channels of the bus. @throws as `serializePayload` */
  bind(payload: unknown): BoundArguments {
    const names: string[] = []
    const args = serializePayload(payload, names)
    if (names.length === 0) return { args, bridges: NO_BRIDGES }
    const bound = { ...(args as Record<string, unknown>) }
    const bridges = names.map(name => {
      const bridge = this.#getBridge(parseChannelReference(bound[name])!).enter()
      bound[name] = bridge.channel
      return bridge
    })
    return { args: bound, bridges }
  }

  close(id: number): void {
    this.#open.get(id)?.close()
  }

  closeAll(): void {
    for (const bridge of [...this.#open.values()]) bridge.close()
  }

  #getBridge(id: number): Bridge {
    const open = this.#open.get(id)
    if (open) return open
    const bridge = createBridge(id, this.#client, this.#callbacks, () => this.#open.delete(id))
    this.#open.set(id, bridge)
    return bridge
  }
}

/** An `id` that no message has: @tauri-apps/api up to 2.4 keeps the end as a later message, which never becomes due. */
const NO_MESSAGE = -1

type Bridge = ReturnType<typeof createBridge>

function createBridge(id: number, client: Client, callbacks: Callbacks, forget: () => void) {
  let channel: Channel | undefined
  let index = 0
  /** Calls that the channel was passed to and that have not settled. */
  let calls = 0
  let isClosed = false

  /** Closes the channel without emitting its end: the callback was removed. */
  const close = (): void => {
    isClosed = true
    forget()
    channel?.close()
  }
  const endIfOver = (): void => {
    if (calls > 0 || channel || isClosed) return
    isClosed = true
    forget()
    callbacks.run(id, { end: true, index, id: NO_MESSAGE })
  }
  const openChannel = (): Channel => {
    const opened = client.Channel.withId(id)
    opened.onmessage = message => {
      if (!callbacks.run(id, { message: toAnswer(message), index, id: index++ })) close()
    }
    opened.onend = () => {
      channel = undefined
      endIfOver()
    }
    return opened
  }
  const enter = (): EnteredBridge => {
    calls++
    const isNew = channel === undefined
    const entered = (channel ??= openChannel())
    const leave = (hasFailed: boolean): void => {
      // A call can fail before the client has opened its channels.
      if (hasFailed && isNew) entered.finish()
      calls--
      if (hasFailed) onNextTick(endIfOver)
      else endIfOver()
    }
    return { channel: entered, leave }
  }
  return { enter, close }
}
