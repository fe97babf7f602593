// The agreement of server and page: paths, close codes, and the greeting that begins each session.
import type { CodecName } from '@sallyport/protocol/internal/codec'

export const BASE_PATH = '/sallyport'
/** Path of the script that installs Tauri's globals. */
export const PAGE_SCRIPT_PATH = '/sallyport/page.js'
export const WINDOW_SCRIPT_PATH = '/sallyport/window.js'
/** The global that this script defines: a function from a command to what answers it. */
export const WINDOW_ANSWERS: unique symbol = Symbol.for('@sallyport/web:window')
export const SCRIPTS_PATH = '/sallyport/scripts/'
/** Directory of files outside of a page's own: the rest is the encoded path of one. */
export const ASSET_PATH = '/sallyport/asset/'
export const REPORT_PATH = '/sallyport/csp-report'

// Codes with which the server closes a WebSocket: constants of their own, because a bundle for pages keeps each member of an object.
/** The page is not admitted, and does not connect again. */
export const CLOSE_DENIED = 4401
/** The page's label is used by another tab. The page does not connect again. */
export const CLOSE_IN_USE = 4409
/** The server cannot admit the page yet. */
export const CLOSE_UNAVAILABLE = 4503
/** WebSocket's own close code of a server that is going down (RFC 6455, 7.4.1). */
export const CLOSE_GOING_AWAY = 1001

/** The first message from the server. A page sends nothing before. */
export interface Greeting {
  label: string
  /** The id of the page's tab, if the server has changed it. */
  tab?: string
  codec: CodecName
  data?: unknown
  timeout?: number | undefined
  maxInFlight?: number
  overflow?: 'wait' | 'reject'
  development: boolean
  path: { sep: string; delimiter: string }
  maxMessageBytes: number
  /** Interval in milliseconds at which the server sends an empty text message. */
  heartbeat: number
}
