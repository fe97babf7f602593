// The agreement of server and page: paths, close codes, and the greeting that begins each session.
import type { CodecName } from '@sallyport/protocol/internal'

/** Path of the WebSocket, and directory of what the server has of its own. */
export const BASE_PATH = '/sallyport'
/** Path of the script that installs Tauri's globals. */
export const PAGE_SCRIPT_PATH = '/sallyport/page.js'

/** Codes with which the server closes a WebSocket. A page that gets one of the first two does not connect again. */
export const CLOSE_CODE = { denied: 4401, inUse: 4409, unavailable: 4503 } as const

/** The first message from the server. A page sends nothing before. */
export interface Greeting {
  label: string
  /** The id of the page's tab, if the server has changed it. */
  tab?: string
  codec: CodecName
  data?: unknown
  isolated: boolean
  timeout?: number | undefined
  maxInFlight?: number
  overflow?: 'wait' | 'reject'
  development: boolean
  /** Separators of paths on the host. */
  path: { sep: string; delimiter: string }
  /** Maximum bytes of a message from the page, with its attachments. */
  maxMessageBytes: number
  /** Interval in milliseconds at which the server sends an empty text message. */
  heartbeat: number
}
