// `invoke`, `ipc` and `postMessage` of Tauri's runtime, over a client of the bus. Every call settles.
import { BusError, METHOD } from '@sallyport/protocol/internal'
import type { Client } from '../client/client.js'
import type { InvokeOptions } from '../client/options.js'
import { Callbacks, ChannelBridges } from './channels.js'
import { type IpcOptions, serializePayload, toAnswer, toCallOptions, toRejection } from './convert.js'
import { checkListenEvent, TauriListeners } from './events.js'

/** A call as `__TAURI_INTERNALS__.ipc` takes it: its result goes to one callback, its error to another. */
export interface IpcMessage {
  cmd: string
  callback: number
  error: number
  payload?: unknown
  options?: IpcOptions
}

interface UnlistenArguments {
  event: string
  eventId: number
}

export class TauriIpc {
  readonly callbacks: Callbacks = new Callbacks()
  readonly #client: Client
  readonly #listeners: TauriListeners
  readonly #channels: ChannelBridges
  #isOver = false

  constructor(client: Client) {
    this.#client = client
    this.#listeners = new TauriListeners(client, this.callbacks)
    this.#channels = new ChannelBridges(client, this.callbacks)
    void client.closed.then(() => this.#listeners.clear())
  }

  /** Rejects with plain values, or with a `TypeError` if arguments or headers cannot be serialized. */
  async invoke(command: string, payload: unknown = {}, options?: IpcOptions): Promise<unknown> {
    try {
      if (this.#isOver) throw new BusError('Disconnected', "Tauri's globals have been uninstalled")
      if (command === METHOD.listen) return await this.#listeners.listen(payload, options)
      checkListenEvent(command, payload)
      const args = command === METHOD.unlisten ? this.#removeListener(payload as UnlistenArguments) : payload
      return toAnswer(await this.#call(command, args, toCallOptions(options)))
    } catch (error) {
      throw toRejection(error)
    }
  }

  post({ cmd, callback, error, payload, options }: IpcMessage): void {
    void this.invoke(cmd, payload, options).then(
      result => this.callbacks.run(callback, result),
      (reason: unknown) => this.callbacks.run(error, reason),
    )
  }

  stopListening({ event, eventId }: UnlistenArguments): void {
    this.#listeners.remove(event, eventId)
  }

  /** Removes a callback. If it is a channel's, the channel is closed. */
  unregister(id: number): void {
    this.callbacks.remove(id)
    this.#channels.close(id)
  }

  /** Removes all listeners, channels and callbacks. Calls in flight still settle. */
  end(): void {
    this.#isOver = true
    this.#listeners.clear()
    this.#channels.closeAll()
    this.callbacks.byId.clear()
  }

  /** Removes a listener. Returns arguments with core's id of it, which can be another since core has restarted. */
  #removeListener(payload: UnlistenArguments): UnlistenArguments {
    const eventId = this.#listeners.remove(payload.event, payload.eventId)
    return eventId === undefined || eventId === payload.eventId ? payload : { ...payload, eventId }
  }

  async #call(command: string, payload: unknown, options: InvokeOptions | undefined): Promise<unknown> {
    const { args, bridges } = this.#channels.bind(serializePayload(payload), payload)
    let hasFailed = true
    try {
      const result = await this.#client.invoke(command, args as object, options)
      hasFailed = false
      return result
    } finally {
      for (const bridge of bridges) bridge.leave(hasFailed)
    }
  }
}
