// Between a relay and the process of its frontend.
import type { EngineModule, FrontendSandbox, InitScript } from './host-frontend.js'
import type { Question } from './host-worker.js'

/**
 * Descriptors of the pipes of a frontend process. `network` leads to the broker of a frontend that has one: launchers use 5 and 6. What core
 * sends comes over `fromCore` if `link` leads to a gate. Over `control` comes first its `FrontendStart`, by `serializeValue`, or
 * `prepare` for a spare, whose start follows once it is known.
 */
export const PROCESS_PIPES = { control: 3, link: 4, network: 7, fromCore: 8 } as const

/** Relay → frontend process: the pipe is connected (two of them if `isSplit`), stop, or answer, which shows that the event loop is not blocked. */
export type FrontendProcessCommand =
  | ({ type: 'prepare' } & FrontendPreparation)
  | { type: 'link'; scripts: readonly InitScript[]; isSplit: boolean }
  | { type: 'stop' }
  | Question

/** What a frontend process can do before it is known whose it is. */
export interface FrontendPreparation {
  sandbox: FrontendSandbox
  /** True if the module has no file. */
  hasText: boolean
  /** URL of a `ScriptRunner`, if it runs a script. */
  runner: string | undefined
  /** True for a process of many scripts: each has two streams of the pipe `link`. */
  hasScripts?: boolean
  /** The compiled engine of the runner, for a thread. */
  engineModule?: EngineModule
}

/**
 * Ids of the streams of a script in a process that has many: it is a member, whose commands and reports are frames of `control`. The first has its
 * `FrontendStart`, by `serializeValue`. A relay that closes `control` ends the script.
 */
export const getScriptStreams = (script: number): { control: number; link: number } => ({
  control: 2 * script,
  link: 2 * script + 1,
})
