// Installs Tauri's globals on a window, and removes them without a trace: what @tauri-apps/api reads of `__TAURI_INTERNALS__` and
// `__TAURI_EVENT_PLUGIN_INTERNALS__`. As those of Tauri's scripts (crates/tauri/scripts), the members cannot be replaced.
import { BusError, isBusError } from '@sallyport/protocol/internal/errors'
import {
  type BusEvent,
  checkEventName,
  EVENT_NAME_RULE,
  type EventTarget,
  METHOD,
  toEventTarget,
} from '@sallyport/protocol/internal/message'
import { getTypeName, IS_NODE, queueMicrotask } from '@sallyport/protocol/internal/util'
import { type Client, getClientClass } from '../client/client.js'
import type { InvokeOptions } from '../client/arguments.js'
import { Callbacks, ChannelBridges } from './channels.js'
import { type IpcOptions, toAnswer, toCallOptions, toRejection } from './convert.js'

/** Marks the `__TAURI_INTERNALS__` of any copy of this package. */
const MARK: unique symbol = Symbol.for('@sallyport/frontend:tauri')

/** Parts of the globals that differ between Node and a browser. */
export interface TauriRuntime {
  /** Separators of paths on the host. */
  readonly path: { readonly sep: string; readonly delimiter: string }
  convertFileSrc(path: string, protocol?: string): string
}

function createInternals(client: Client, ipc: TauriIpc, { path, convertFileSrc }: TauriRuntime): object {
  return createObject({
    [MARK]: true,
    invoke: (command: string, payload?: unknown, options?: IpcOptions) => ipc.invoke(command, payload, options),
    transformCallback: (callback?: (data: unknown) => unknown, once?: boolean) => ipc.callbacks.add(callback, once),
    unregisterCallback: (id: number) => ipc.unregister(id),
    runCallback: (id: number, data: unknown) => void ipc.callbacks.run(id, data),
    callbacks: ipc.callbacks.byId,
    convertFileSrc,
    // The label of a page can become known later.
    metadata: {
      get currentWindow() {
        return { label: client.label }
      },
      get currentWebview() {
        return { windowLabel: client.label, label: client.label }
      },
    },
    plugins: createObject({ path }),
  })
}

/** Returns true if these internals were installed by a copy of this package. */
export const isOurs = (internals: unknown): boolean =>
  typeof internals === 'object' && internals !== null && MARK in internals

/** Defines members that cannot be replaced, as in Tauri. Others can be added, which plugins do. */
function createObject(members: object): object {
  const object = {}
  for (const name of Reflect.ownKeys(members)) {
    Object.defineProperty(object, name, { value: Reflect.get(members, name) })
  }
  return object
}

/** Tauri's globals, as installed. */
export interface TauriInstallation {
  /** Removes the globals, and the listeners and channels that were opened through them. The client stays open. */
  uninstall(): void
  /** Calls `uninstall`. */
  [Symbol.dispose](): void
}

export function install(client: Client, target: object, runtime: TauriRuntime): TauriInstallation {
  checkClient(client)
  if (isOurs(Reflect.get(target, '__TAURI_INTERNALS__'))) {
    const text = "Tauri's globals are installed already: call uninstall() on the result of the first installTauri"
    throw new BusError('InvalidParams', text)
  }
  const ipc = new TauriIpc(client)
  const eventInternals = createObject({
    unregisterListener: (event: string, eventId: number) => ipc.stopListening({ event, eventId }),
  })
  const globals: [object, string, unknown][] = [
    [target, '__TAURI_INTERNALS__', createInternals(client, ipc, runtime)],
    [target, '__TAURI_EVENT_PLUGIN_INTERNALS__', eventInternals],
    [target, 'isTauri', true],
  ]
  const threadGlobal: object = globalThis
  if (!('window' in target)) globals.push([target, 'window', target])
  // If the `window` among Node's globals is a jsdom's, the package reads `isTauri` from Node's globals.
  else if (target !== threadGlobal && Reflect.get(threadGlobal, 'window') === target) {
    globals.push([threadGlobal, 'isTauri', true])
  }
  for (const [holder, name] of globals) checkReplaceable(holder, name)
  const restores = globals.map(([holder, name, value]) => define(holder, name, value))
  const uninstall = (): void => {
    for (const restore of restores.splice(0).reverse()) restore()
    ipc.end()
  }
  return { uninstall, [Symbol.dispose]: uninstall }
}

/** Accepts a client of any copy of this package. A promise of a client, without its `await`, is the usual mistake. */
function checkClient(client: unknown): void {
  const { getParts }: Partial<typeof Client> = (client as Client | undefined)?.constructor ?? {}
  if (getParts) return
  const kind = getTypeName(client)
  const text = `installTauri: the client must be the result of \`await bus.connect(label)\`: got ${kind}`
  throw new BusError('InvalidParams', text)
}

function checkReplaceable(holder: object, name: string): void {
  if (Object.getOwnPropertyDescriptor(holder, name)?.configurable !== false) return
  throw new BusError('InvalidParams', `${name} exists already and cannot be replaced: is this a webview of Tauri?`)
}

/** Defines a global. Returns a function that restores the previous one, unless the global has been replaced since. */
function define(holder: object, name: string, value: unknown): () => void {
  const before = Object.getOwnPropertyDescriptor(holder, name)
  Object.defineProperty(holder, name, { value, configurable: true, enumerable: false, writable: false })
  return () => {
    if (Object.getOwnPropertyDescriptor(holder, name)?.value !== value) return
    if (before) Object.defineProperty(holder, name, before)
    else Reflect.deleteProperty(holder, name)
  }
}

type UnlistenArguments = { event: string; eventId: number }

/** `invoke` of Tauri's runtime, over a client of the bus. Every call settles. */
class TauriIpc {
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
      // Tauri's `emit` never fails for this, so nobody awaits it: a rejection would end the thread. A page goes on.
      const isEvent = command === METHOD.emit || command === METHOD.emitTo
      if (IS_NODE && isEvent && !this.#isOver && isBusError(error, 'Disconnected')) return null
      throw toRejection(error)
    }
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
    const { args, bridges } = this.#channels.bind(payload)
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

// Tauri's event plugin: a listener is the id of a callback, which gets the events. Only the bus's `listen` and `unlisten` are sent.

const COMMANDS: ReadonlySet<string> = new Set([METHOD.listen, METHOD.unlisten, METHOD.emit, METHOD.emitTo])

/** @throws {BusError} `InvalidParams` with Tauri's text, if `command` takes an event's name and that is invalid */
function checkListenEvent(command: string, payload: unknown): void {
  if (!COMMANDS.has(command)) return
  const name = command.slice(command.indexOf('|') + 1)
  const { event }: { event?: unknown } = payload ?? {}
  if (event === undefined) throw invalid(name, 'event', `command ${name} missing required key event`)
  try {
    checkEventName(event)
  } catch {
    throw invalid(name, 'event', `${EVENT_NAME_RULE}.`)
  }
}

const invalid = (command: string, key: string, problem: string): BusError =>
  new BusError('InvalidParams', `invalid args \`${key}\` for command \`${command}\`: ${problem}`)

class TauriListeners {
  readonly #client: Client
  readonly #class: typeof Client
  readonly #callbacks: Callbacks
  readonly #listeners = new Map<number, { event: string; handler: number }>()
  readonly #uses = new Map<number, number>()
  #isOver = false

  constructor(client: Client, callbacks: Callbacks) {
    this.#client = client
    this.#class = getClientClass(client)
    this.#callbacks = callbacks
  }

  /** Handles `plugin:event|listen`. Resolves with the listener's id. */
  async listen(payload: unknown, options: IpcOptions | undefined): Promise<number> {
    const { handler }: { handler?: unknown } = payload ?? {}
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
