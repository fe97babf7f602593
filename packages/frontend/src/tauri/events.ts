// Tauri's event plugin: a listener is the id of a callback, which gets the events. Only the bus's `listen` and `unlisten` are sent.
import { queueMicrotask } from '@sallyport/protocol/internal/util'
import type { BusEvent, EventTarget } from '@sallyport/protocol/internal/message'
import { BusError } from '@sallyport/protocol/internal/errors'
import { checkEventName, EVENT_NAME_RULE, METHOD, toEventTarget } from '@sallyport/protocol/internal/message'
import { type Client, getClientClass } from '../client/client.js'
import type { Callbacks } from './channels.js'
import { type IpcOptions, toCallOptions } from './convert.js'

/** The commands that take an event's name. */
const COMMANDS: ReadonlySet<string> = new Set([METHOD.listen, METHOD.unlisten, METHOD.emit, METHOD.emitTo])

/** @throws {BusError} `InvalidParams` with Tauri's text, if `command` takes an event's name and that is invalid */
export function checkListenEvent(command: string, payload: unknown): void {
  if (!COMMANDS.has(command)) return
  const name = command.slice(command.indexOf('|') + 1)
  const { event } = (payload ?? {}) as { event?: unknown }
  if (event === undefined) throw invalid(name, 'event', `command ${name} missing required key event`)
  try {
    checkEventName(event)
  } catch {
    throw invalid(name, 'event', `${EVENT_NAME_RULE}.`)
  }
}

const invalid = (command: string, key: string, problem: string): BusError =>
  new BusError('InvalidParams', `invalid args \`${key}\` for command \`${command}\`: ${problem}`)

export class TauriListeners {
  readonly #client: Client
  readonly #class: typeof Client
  readonly #callbacks: Callbacks
  readonly #listeners = new Map<number, { event: string; handler: number }>()
  /** The number of listeners of each callback, by the callback's id. */
  readonly #uses = new Map<number, number>()
  #isOver = false

  constructor(client: Client, callbacks: Callbacks) {
    this.#client = client
    this.#class = getClientClass(client)
    this.#callbacks = callbacks
  }

  /** Handles `plugin:event|listen`. Resolves with the listener's id. */
  async listen(payload: unknown, options: IpcOptions | undefined): Promise<number> {
    const { handler } = (payload ?? {}) as { handler?: unknown }
    if (typeof handler !== 'number') throw invalid('listen', 'handler', 'command listen missing required key handler')
    this.#uses.set(handler, (this.#uses.get(handler) ?? 0) + 1)
    try {
      const callOptions = toCallOptions(options)
      checkListenEvent(METHOD.listen, payload)
      const { event, target } = payload as { event: string; target?: unknown }
      // The first event can arrive before `subscribe` has resolved, and can remove the listener (`once`).
      let isAdded = false
      const add = (id: number): void => {
        if (!isAdded) this.#listeners.set(id, { event, handler })
        isAdded = true
      }
      const handleEvent = (received: BusEvent): void => {
        add(received.id)
        this.#callbacks.run(handler, received)
      }
      const listenOptions = { ...callOptions, target: parseTarget(target) }
      const id = await this.#class.subscribe(this.#client, event, handleEvent, listenOptions)
      add(id)
      if (this.#isOver) this.clear()
      return id
    } catch (error) {
      // Not now: other calls of this tick can share the callback.
      queueMicrotask(() => this.#release(handler))
      throw error
    }
  }

  /** Removes a listener, if there is one. Returns core's id of it, for the `plugin:event|unlisten` that notifies core. */
  remove(event: string, id: number): number | undefined {
    const listener = this.#listeners.get(id)
    if (listener?.event !== event) return undefined
    this.#listeners.delete(id)
    this.#release(listener.handler)
    return this.#class.getParts(this.#client).listeners.remove(id)
  }

  /** Removes all listeners, and those that are being added. */
  clear(): void {
    this.#isOver = true
    const { listeners, connection } = this.#class.getParts(this.#client)
    for (const [id, { event, handler }] of [...this.#listeners]) {
      this.#listeners.delete(id)
      listeners.unsubscribe(connection, event, id)
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

function parseTarget(target: unknown): EventTarget {
  try {
    return toEventTarget(target ?? { kind: 'Any' })
  } catch (error) {
    throw invalid('listen', 'target', (error as BusError).message)
  }
}
