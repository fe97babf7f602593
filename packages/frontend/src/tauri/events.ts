// Tauri's event plugin, as its clients see it: a listener is a callback's id, and events come to that callback. All that
// travels are the bus's own listen and unlisten.
import {
  BusError,
  type BusEvent,
  checkEventName,
  EVENT_NAME_RULE,
  type EventTarget,
  METHOD,
  toEventTarget,
} from '@sallyport/protocol'
import type { Client } from '../client/client.js'
import type { InvokeOptions } from '../client/options.js'
import type { Callbacks } from './channels.js'
import { type IpcOptions, toCallOptions } from './convert.js'

interface ListenArguments {
  readonly event: string
  readonly target?: unknown
}

interface Listener {
  readonly event: string
  readonly handler: number
}

/** The commands that take an event's name, by what Tauri's texts call them. */
const COMMANDS: ReadonlyMap<string, string> = new Map([
  [METHOD.listen, 'listen'],
  [METHOD.unlisten, 'unlisten'],
  [METHOD.emit, 'emit'],
  [METHOD.emitTo, 'emit_to'],
])

/** @throws BusError `InvalidParams` in Tauri's words, where `command` is one of events and its event's name is none */
export function checkListenEvent(command: string, payload: unknown): void {
  const name = COMMANDS.get(command)
  if (name === undefined) return
  const { event } = (payload ?? {}) as { event?: unknown }
  if (event === undefined) throw invalid(name, 'event', `command ${name} missing required key event`)
  try {
    checkEventName(event)
  } catch {
    throw invalid(name, 'event', `${EVENT_NAME_RULE}.`)
  }
}

const invalid = (command: string, key: string, why: string): BusError =>
  new BusError('InvalidParams', `invalid args \`${key}\` for command \`${command}\`: ${why}`)

export class TauriListeners {
  readonly #client: Client
  readonly #callbacks: Callbacks
  readonly #listeners = new Map<number, Listener>()
  /** One callback may be that of several listeners: how many, by its id. */
  readonly #uses = new Map<number, number>()
  #over = false

  constructor(client: Client, callbacks: Callbacks) {
    this.#client = client
    this.#callbacks = callbacks
  }

  /** `plugin:event|listen`: the listener's id. */
  async listen(payload: unknown, options: IpcOptions | undefined): Promise<number> {
    const { handler } = (payload ?? {}) as { handler?: unknown }
    if (typeof handler !== 'number') throw invalid('listen', 'handler', 'command listen missing required key handler')
    this.#uses.set(handler, (this.#uses.get(handler) ?? 0) + 1)
    try {
      return await this.#listen(payload as ListenArguments, handler, toCallOptions(options))
    } catch (error) {
      this.#release(handler)
      throw error
    }
  }

  async #listen(payload: ListenArguments, handler: number, options: InvokeOptions | undefined): Promise<number> {
    checkListenEvent(METHOD.listen, payload)
    const { event, target } = payload
    // Its first event may come before `subscribe` has resolved, and may take it away (`once`).
    let known = false
    const know = (id: number): void => {
      if (!known) this.#listeners.set(id, { event, handler })
      known = true
    }
    const hear = (received: BusEvent): void => {
      know(received.id)
      this.#callbacks.run(handler, received)
    }
    const given = { ...options, target: getTarget(target) }
    const id = await this.#client.subscribe(event, hear, given)
    know(id)
    if (this.#over) this.clear()
    return id
  }

  /**
   * Nothing more comes to this listener; core is told by `plugin:event|unlisten`, with the id that this gives. One that is not
   * known is passed over.
   */
  stop(event: string, id: number): number | undefined {
    const listener = this.#listeners.get(id)
    if (listener?.event !== event) return undefined
    this.#listeners.delete(id)
    this.#release(listener.handler)
    return this.#client.forget(id)
  }

  /** Takes all listeners away, for good. */
  clear(): void {
    this.#over = true
    for (const [id, { event, handler }] of [...this.#listeners]) {
      this.#listeners.delete(id)
      this.#client.unsubscribe(event, id)
      this.#release(handler)
    }
  }

  #release(handler: number): void {
    const uses = this.#uses.get(handler)! - 1
    if (uses > 0) return void this.#uses.set(handler, uses)
    this.#uses.delete(handler)
    this.#callbacks.remove(handler)
  }
}

function getTarget(target: unknown): EventTarget {
  try {
    return toEventTarget(target ?? { kind: 'Any' })
  } catch (error) {
    throw invalid('listen', 'target', (error as BusError).message)
  }
}
