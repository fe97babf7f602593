// What a handler is given beside its arguments. Parts that most handlers never touch are made when they are read.
import type { BusError, CallHeaders, RequestId } from '@sallyport/protocol'
import type { Logger } from 'pino'
import type { App } from './app.js'
import type { Permits } from './authority/authority.js'
import type { CommandName } from './authority/catalogue.js'
import type { CommandScope } from './authority/scope.js'
import type { SendingChannel } from './channel.js'
import type { ListenerHome } from './delivery.js'
import type { Asking } from './questions.js'
import type { Resources } from './resources.js'

export interface CommandRequest {
  readonly headers: CallHeaders
  /** Named arguments as they came, before any schema, with channels in place; or bytes (`Uint8Array`), as a raw body. */
  readonly body: unknown
}

export interface CommandContext {
  readonly app: App
  /** The frontend that calls. It is known by its link: no message can claim another. */
  readonly label: string
  /** Aborts when the caller gives up or goes away, or when the bus closes. */
  readonly signal: AbortSignal
  /** Of core's log: its lines have `label` and `command`, and `plugin` where a plugin has the command. */
  readonly log: Logger
  readonly request: CommandRequest
  /** What the caller's permissions allow and deny beyond calling the command. */
  readonly scope: CommandScope
  /** What is kept open for this frontend between its calls, by number; closed when it goes. */
  readonly resources: Resources
  /**
   * Asks the host's `onConfirm`, and a person perhaps: `false` where there is none. The text is shown with control characters
   * replaced, and cut at 4096 characters. The caller's deadline goes on meanwhile.
   *
   * @throws BusError `Overloaded` while 16 questions of this frontend are open; the signal's reason once it aborts
   * @example if (!(await ctx.confirm(`Delete ${path}?`))) throw new CommandError('REFUSED')
   */
  readonly confirm: (text: string) => Promise<boolean>
  /** What `app.manage` was given: `ctx.state(Counter)`. @throws what `app.state` throws */
  readonly state: App['state']
}

/** Where a call has come in. */
export interface CallHome extends ListenerHome {
  /** Of `ctx.confirm`. */
  ask(text: unknown, asking: Asking): Promise<boolean>
}

interface CallOptions {
  id: RequestId | undefined
  app: App
  resources: Resources
  label: string
  command: CommandName
  permits: Permits
  request: CommandRequest
  home: CallHome
  /** Those that came with this call first. */
  channels: readonly SendingChannel[]
}

/** What a call runs. */
export interface Runnable {
  run(args: unknown, ctx: Call): unknown
}

/** One call, from dispatch to response. */
export class Call implements CommandContext {
  readonly app: App
  readonly label: string
  readonly request: CommandRequest
  readonly resources: Resources
  readonly #id: RequestId | undefined
  readonly #command: CommandName
  readonly #permits: Permits
  readonly #home: CallHome
  readonly #channels: readonly SendingChannel[]
  #controller: AbortController | undefined

  constructor({ id, app, resources, label, command, permits, request, home, channels }: CallOptions) {
    this.app = app
    this.resources = resources
    this.label = label
    this.request = request
    this.#id = id
    this.#command = command
    this.#permits = permits
    this.#home = home
    this.#channels = channels
  }

  /** Where the caller's listeners live. Not for handlers: it is not on what they are given. */
  static homeOf(call: Call): ListenerHome {
    return call.#home
  }

  /** Not for handlers either. */
  get id(): RequestId | undefined {
    return this.#id
  }

  get signal(): AbortSignal {
    return (this.#controller ??= new AbortController()).signal
  }

  /** @internal Why nobody waits for its answer any more. */
  get givenUp(): BusError | undefined {
    return this.#controller?.signal.reason as BusError | undefined
  }

  /** @internal */
  get method(): string {
    return this.#command.method
  }

  get scope(): CommandScope {
    return this.#permits.scopeOf(this.#command)
  }

  get state(): App['state'] {
    return this.app.state
  }

  get confirm(): (text: string) => Promise<boolean> {
    const { label, method: command } = this
    return text => this.#home.ask(text, { label, command, signal: this.signal })
  }

  get log(): Logger {
    const { method, owner } = this.#command
    const about = { label: this.label, command: method }
    return this.app.log.child(owner === 'plugin' ? { ...about, plugin: pluginOf(method) } : about)
  }

  /** Aborts the signal, whether it has been read yet or not, and takes its receiver from each channel of the call. */
  abort(reason: BusError): void {
    this.#controller ??= new AbortController()
    this.#controller.abort(reason)
    for (const channel of this.#channels) channel.abandon(reason.message)
  }

  /** A call that has failed ends its channels. */
  endChannels(): void {
    for (const channel of this.#channels) channel.fail()
  }
}

/** `plugin:fs|read_text_file` is that of `fs`. */
const pluginOf = (method: string): string => method.slice('plugin:'.length, method.indexOf('|'))
