// What the host hands to a relay: the worker thread that starts, bridges and watches the process of one frontend.
import {
  FRAME_KIND,
  type Heartbeat,
  type Pong,
  type ReceivedFrame,
  type ReportedError,
  type StateReport,
} from '@sallyport/protocol'
import type { LifecycleState } from '@sallyport/protocol/actor'

export interface RelayData {
  /** The flags of Node, and the module to start with. */
  args: string[]
  /** Where the process gets an empty folder: a relay has no environment that says so. */
  temporary: string
  /** `FrontendProcessStart`, serialized: no business of the relay's. */
  start: Uint8Array
  /** The frontend has a gate. */
  isolated: boolean
  heartbeat: Heartbeat | undefined
  limits: ProcessLimits
}

export interface ProcessLimits {
  /** MiB that may be resident. */
  memory?: number | undefined
  /** Share of one core, over `CPU_WINDOW_MS`. */
  cpu?: number | undefined
}

// What a frontend's process says of its own life. It is not trusted: a state is told once, in its order, and in a few words.

/** Bytes of one report: an error with its stack. */
export const MAX_REPORT_BYTES: number = 2 ** 20

const ORDER: readonly LifecycleState[] = ['booting', 'handshaking', 'ready', 'draining', 'stopped', 'failed']
const TEXTS = ['message', 'stack', 'reason'] as const

/** @returns what makes a report of each frame; `undefined` for what is none, or comes too late */
export function createReports(): (frame: ReceivedFrame) => StateReport | undefined {
  let last = -1
  return ({ kind, body }) => {
    if (kind !== FRAME_KIND.json) return undefined
    const { type, state, error } = parse(body)
    const place = ORDER.indexOf(state as LifecycleState)
    if (type !== 'state' || place <= last) return undefined
    last = place === ORDER.indexOf('stopped') ? ORDER.length : place
    return { type: 'state', state: ORDER[place]!, ...(error !== undefined && { error: plain(error) }) }
  }
}

const PONG: Pong = { type: 'pong' }
const pong = Buffer.from(JSON.stringify(PONG))

/** The process is not stuck. */
export const isPong = ({ kind, body }: ReceivedFrame): boolean => kind === FRAME_KIND.json && pong.equals(body)

function parse(body: Uint8Array): Record<string, unknown> {
  try {
    return Object(JSON.parse(Buffer.from(body).toString())) as Record<string, unknown>
  } catch {
    return {}
  }
}

function plain(error: unknown): ReportedError {
  const given = Object(error) as Record<string, unknown>
  const texts = TEXTS.filter(name => typeof given[name] === 'string').map(name => [name, given[name]])
  return { message: 'The frontend has failed', ...(Object.fromEntries(texts) as Partial<ReportedError>) }
}
