// `invoke`, `ipc` and `postMessage` of Tauri's runtime over a client of the bus. Whatever happens, a call settles.
import { BusError, METHOD } from '@sallyport/protocol'
import type { CommandArguments } from '../client/arguments.js'
import type { Client } from '../client/client.js'
import type { InvokeOptions } from '../client/options.js'
import { Callbacks, ChannelBridges } from './channels.js'
import { type IpcOptions, toAnswer, toCallOptions, toRejection } from './convert.js'
import { checkListenEvent, TauriListeners } from './events.js'
import { serializePayload } from './serialize.js'

/** A call as `__TAURI_INTERNALS__.ipc` takes it: its outcome goes to one of two callbacks. */
export interface IpcMessage {
  cmd: string
  callback: number
  error: number
  payload?: unknown
  options?: IpcOptions
}

interface Unlistening {
  event: string
  eventId: number
}

export class TauriIpc {
  readonly callbacks: Callbacks = new Callbacks()
  readonly #client: Client
  readonly #listeners: TauriListeners
  readonly #channels: ChannelBridges
  #over = false

  constructor(client: Client) {
    this.#client = client
    this.#listeners = new TauriListeners(client, this.callbacks)
    this.#channels = new ChannelBridges(client, this.callbacks)
    void client.closed.then(() => this.#listeners.clear())
  }

  /** Rejects with plain values; with a `TypeError` for arguments or headers that can't be sent. */
  async invoke(command: string, payload: unknown = {}, options?: IpcOptions): Promise<unknown> {
    try {
      if (this.#over) throw new BusError('Disconnected', 'Tauri’s globals have been uninstalled')
      if (command === METHOD.listen) return await this.#listeners.listen(payload, options)
      checkListenEvent(command, payload)
      const given = command === METHOD.unlisten ? this.#unlistening(payload as Unlistening) : payload
      return toAnswer(await this.#call(command, serializePayload(given), toCallOptions(options)))
    } catch (error) {
      throw toRejection(error)
    }
  }

  post({ cmd, callback, error, payload, options }: IpcMessage): void {
    void this.invoke(cmd, payload, options).then(
      result => this.callbacks.run(callback, result),
      (why: unknown) => this.callbacks.run(error, why),
    )
  }

  stopListening({ event, eventId }: Unlistening): void {
    this.#listeners.stop(event, eventId)
  }

  /** If the callback is a channel's, core is told that nobody listens. */
  unregister(id: number): void {
    this.callbacks.remove(id)
    this.#channels.close(id)
  }

  /** Takes all listeners, channels and callbacks away. Calls under way still settle. */
  end(): void {
    this.#over = true
    this.#listeners.clear()
    this.#channels.closeAll()
    this.callbacks.byId.clear()
  }

  /** Core may know of the listener by another id, since it was started again. */
  #unlistening(payload: Unlistening): Unlistening {
    const eventId = this.#listeners.stop(payload.event, payload.eventId)
    return eventId === undefined || eventId === payload.eventId ? payload : { ...payload, eventId }
  }

  async #call(command: string, serialized: unknown, options: InvokeOptions | undefined): Promise<unknown> {
    const { args, passed } = this.#channels.bind(serialized)
    let failed = true
    try {
      const result = await this.#client.invoke(command, args as CommandArguments, options)
      failed = false
      return result
    } finally {
      for (const channel of passed) channel.leave(failed)
    }
  }
}
