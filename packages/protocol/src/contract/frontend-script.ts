// Between a frontend worker and the runner of scripts (`sandbox: 'ses'`). Neither imports the other: the frontend worker loads the
// runner, whose URL the host passes.
import type { ModuleText } from './host-frontend.js'

/** The functions of `@sallyport/frontend` that a script gets, typed without importing that package. */
export type FrontendFunctions = Readonly<
  Record<'BusError' | 'Channel' | 'CommandError', abstract new (...args: never) => object> &
    Record<'isBusError' | 'isCommandError' | 'getLabel' | 'getData' | 'expose', FrontendFunction> &
    Record<'invoke' | 'stream' | 'emit' | 'emitTo' | 'listen' | 'once', FrontendFunction>
>
type FrontendFunction = (...args: never) => unknown

export interface FrontendScript {
  /**
   * Resolves when the script, including its top-level awaits, has run.
   *
   * @param fault - called with each later uncaught error of the script, as an error that is safe to inspect
   * @throws whatever the script throws, as an error that is safe to inspect
   */
  run(functions: FrontendFunctions, fault: (error: Error) => void): Promise<void>
}

/** The exports of the module at `FrontendStart.runner`. */
export interface ScriptRunner {
  /**
   * Reads a script, then permanently locks this thread down.
   *
   * @param text - the script's code, if it has no file
   * @throws {BusError} InvalidParams if it is not a script
   */
  loadScript(url: string, text?: ModuleText): Promise<FrontendScript>
}
