// One call, from dispatch to response.
import { type BusError, type RequestId, STREAM_HEADER } from '@sallyport/protocol'
import type { Logger } from 'pino'
import type { Permits } from '../acl/authority.js'
import type { CommandScope } from '../acl/scope.js'
import type { CommandName } from '../acl/types.js'
import type { App } from '../api/app.js'
import type { CommandContext, CommandRequest } from '../api/context.js'
import type { Resources } from '../api/resources.js'
import { HOST_METHOD } from '../contract/control.js'
import type { Subscriber } from '../events/delivery.js'
import type { SendingChannel } from './channel.js'
import type { ConfirmCaller } from './confirm.js'

/** Where a call has come in. */
export interface CallOwner extends Subscriber {
  /** Of `ctx.confirm`. */
  ask(text: unknown, asking: ConfirmCaller): Promise<boolean>
}

interface CallOptions {
  id: RequestId | undefined
  app: App
  resources: Resources
  label: string
  command: CommandName
  permits: Permits
  request: CommandRequest
  home: CallOwner
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
  readonly #home: CallOwner
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
  static homeOf(call: Call): Subscriber {
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
    return this.#permits.getScope(this.#command)
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
    return this.app.log.child(owner === 'plugin' ? { ...about, plugin: getPlugin(method) } : about)
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
const getPlugin = (method: string): string => method.slice('plugin:'.length, method.indexOf('|'))

/** A stream is made to. */
export const lasts = ({ request: { headers } }: Call): boolean => headers[STREAM_HEADER] !== undefined

/** The command, or what the host calls of a frontend. */
export function getName({ method, request: { headers } }: Call): string {
  return method === HOST_METHOD.call ? `bus.call ${headers['label']} ${headers['name']}` : method
}
