// Between a relay and the process of its frontend.
import type { InitScript } from './host-frontend.js'

/** Descriptors of the pipes of a frontend process. Its `FrontendStart` comes first over `control`, by `serializeValue`. */
export const PROCESS_PIPES = { control: 3, link: 4 } as const

/** Relay → frontend process: the pipe is connected, stop, or answer with a `Pong`. */
export type FrontendProcessCommand =
  | { type: 'link'; scripts: readonly InitScript[] }
  | { type: 'stop' }
  | { type: 'ping' }

/** Frontend process → relay: the event loop is not blocked. */
export type Pong = { type: 'pong' }
