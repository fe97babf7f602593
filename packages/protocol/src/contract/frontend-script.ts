// Between a frontend worker and the runner of scripts (`sandbox: 'quickjs'`). Neither imports the other: the frontend worker loads the
// runner, whose URL the host passes.
import type { Link } from '../wire/link.js'
import type { EngineModule, EngineOptions, FrontendStart, ModuleText, SuspendedScript } from './messages.js'
import type { OutputStream } from './output.js'

/** The functions of `@sallyport/frontend` that code as text gets, typed without importing that package. */
export type FrontendFunctions = Readonly<
  Record<'BusError' | 'Channel' | 'CommandError', abstract new (...args: never) => object> &
    Record<'isBusError' | 'isCommandError' | 'getLabel' | 'getData' | 'expose', FrontendFunction> &
    Record<'invoke' | 'stream' | 'emit' | 'emitTo' | 'listen' | 'once', FrontendFunction>
>
type FrontendFunction = (...args: never) => unknown

/** The thread of a script, as the script's runner uses it. */
export interface ScriptThread {
  print(stream: OutputStream, text: string): void
  /** Core has handled what the script sent while it was loaded. */
  synchronized(): void
  /** The code of `bus.run` has ended, with its calls, and has sent its answer. */
  answered(): void
  /** The client has refused a call with `Overloaded`, or dropped an event. */
  unsent(): void
  /** Called before code of the script runs in a tick of its own, if the thread has other scripts. */
  onEnter?(): void
  /**
   * True once the host has terminated the script, or has asked it to end at once. It can be asked while the script runs.
   *
   * @param byForce - whether only the first counts
   */
  isTerminated?(byForce: boolean): boolean
  /** Reports that calls of the script were interrupted, and that it is idle. */
  suspended?(script: SuspendedScript): void
  /** Takes what the code of `bus.run` rejects with and has not handled yet, as a value that is safe to inspect. Other scripts end. */
  unhandled?(promise: unknown, reason: unknown): void
  /** The code has handled it later. */
  handled?(promise: unknown): void
}

/** The network of a script: a list of hosts. */
export interface ScriptNetwork {
  fetch: typeof fetch
  /** Placeholders of secrets, by the name of a variable. */
  env: Readonly<Record<string, string>>
}

/** The client of a script, which its VM has. */
export type ScriptClientOptions = Pick<
  FrontendStart,
  'label' | 'codec' | 'data' | 'timeout' | 'maxInFlight' | 'overflow' | 'deadlines'
>

export interface ScriptOptions {
  engine?: EngineOptions | undefined
  /** The snapshot that the script goes on from. */
  snapshot?: Uint8Array | undefined
  /** The image that the snapshot differs from, if an earlier release made it. */
  image?: Uint8Array | undefined
  network?: ScriptNetwork | undefined
}

export interface FrontendScript {
  /**
   * Resolves when the script, including its top-level awaits, has run.
   *
   * @param fault - called with each later uncaught error of the script, as an error that is safe to inspect
   * @throws whatever the script throws, as an error that is safe to inspect
   */
  run(link: Link, client: ScriptClientOptions, thread: ScriptThread, fault: (error: Error) => void): Promise<void>
  /** Continues over another link. */
  reconnect(link: Link): void
  /** Closes the client, and the link. Resolves once all that was sent has left. */
  close(): Promise<void>
  /** Ends the script. */
  stop(): void
}

/** The exports of the module at `FrontendStart.runner`. */
export interface ScriptRunner {
  /**
   * Reads a script.
   *
   * @param text - the script's code, if it has no file
   * @param content - the content of its file, if this thread must not read the file
   * @throws {BusError} LoadFailed if it cannot be read
   */
  loadScript(
    url: string,
    text: ModuleText | undefined,
    content: string | undefined,
    options: ScriptOptions,
  ): Promise<FrontendScript>
  /** Does once what each script needs, before there is one. */
  prepare?(module?: EngineModule): Promise<unknown>
}
