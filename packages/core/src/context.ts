// What a handler is given beside its arguments. Parts that most handlers never touch are made when they are read.
import type { Headers } from '@sallyport/protocol'
import type { Logger } from 'pino'
import type { App } from './app.js'
import type { ListenerHome } from './events.js'

export interface CommandRequest {
  readonly headers: Headers
  /** The arguments as they came: an object of named arguments, or bytes (`Uint8Array`) as a raw body. */
  readonly body: unknown
}

export interface CommandContext {
  readonly app: App
  /** The frontend that calls. It is known by its link: no message can claim another. */
  readonly label: string
  /** Aborts when the caller gives up or goes away, or when the bus closes. */
  readonly signal: AbortSignal
  readonly log: Logger
  readonly request: CommandRequest
}

/** One call, from dispatch to response. */
export class Call implements CommandContext {
  readonly app: App
  readonly label: string
  readonly request: CommandRequest
  readonly #method: string
  readonly #home: ListenerHome
  #controller: AbortController | undefined

  constructor(app: App, label: string, method: string, request: CommandRequest, home: ListenerHome) {
    this.app = app
    this.label = label
    this.request = request
    this.#method = method
    this.#home = home
  }

  /** Where the caller's listeners live. Not for handlers: it is not on what they are given. */
  static homeOf(call: Call): ListenerHome {
    return call.#home
  }

  get signal(): AbortSignal {
    return (this.#controller ??= new AbortController()).signal
  }

  get log(): Logger {
    return this.app.log.child({ label: this.label, command: this.#method })
  }

  /** Aborts the signal, whether it has been read yet or not. */
  abort(reason: unknown): void {
    this.#controller ??= new AbortController()
    this.#controller.abort(reason)
  }
}
