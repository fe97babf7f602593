// What both ends of the bus agree on beyond JSON-RPC: method names, event targets and names, channel ids, and the shapes
// of the notifications. The names of commands and targets are Tauri's; the `$/` methods follow the Language Server
// Protocol, where such methods are the transport's own.
import { BusError, describeName } from '../errors/bus-error.js'

export const METHOD = {
  listen: 'plugin:event|listen',
  unlisten: 'plugin:event|unlisten',
  emit: 'plugin:event|emit',
  emitTo: 'plugin:event|emit_to',
  /** What a hook is shown as the command of an answer, to a call of a function that the frontend exposes. */
  answer: 'plugin:expose|answer',
  /** core → frontend: an event for listeners of this frontend. */
  event: '$/event',
  /** core → frontend: a message of a channel, or its end. */
  channel: '$/channel',
  /** Either way: the caller no longer waits for this request. */
  cancel: '$/cancelRequest',
  /** frontend → core: this many messages of a channel have been taken. */
  credit: '$/credit',
  /** frontend → core: nobody takes a channel's messages any more. */
  closeChannel: '$/closeChannel',
} as const

/** A call with this header wants a stream: its value refers to the channel that the values come on. */
export const STREAM_HEADER = 'sallyport-stream'

/** Whole milliseconds that the caller waits, as text: over a network, where it may be gone without a word. */
export const TIMEOUT_HEADER = 'sallyport-timeout'

/** Tauri's event targets. A listener has one; `emitTo` addresses those that match it. */
export type EventTarget =
  | { kind: 'Any' | 'App' }
  | { kind: 'AnyLabel' | 'Window' | 'Webview' | 'WebviewWindow'; label: string }

/** What a listener is called with. `id` is the listener's own, as in Tauri. */
export interface BusEvent<T = unknown> {
  event: string
  id: number
  payload: T
}

export type Unlisten = () => void

/** Params of `$/event`: one notification serves all listeners of a frontend. `payloads` are those of events in a row. */
export type EventParams = { event: string; ids: readonly number[] } & ({ payload: unknown } | { payloads: unknown[] })

/**
 * Params of `$/channel`: messages are numbered from 0 per channel. `messages` follow each other, and the first has the
 * `index`; `end` carries the count of all.
 */
export type ChannelParams = { channel: number; index: number } & (
  | { message: unknown }
  | { messages: unknown[] }
  | { end: true }
)

/** Messages of one channel that may be under way before `send` waits for the frontend to take some. */
export const CHANNEL_WINDOW = 256

const CHANNEL_PATTERN = /^__CHANNEL__:(\d{1,10})$/

/** How a channel travels as an argument (Tauri's form). */
export const channelReference = (id: number): string => `__CHANNEL__:${id}`

/** The id in a channel's reference, or `undefined` where the value is none. */
export function parseChannelReference(value: unknown): number | undefined {
  if (typeof value !== 'string' || !value.startsWith('__CHANNEL__:')) return undefined
  const id = Number(CHANNEL_PATTERN.exec(value)?.[1])
  return id <= 0xffff_ffff ? id : undefined
}

/** Tauri's, in its words. */
export const EVENT_NAME_RULE = 'Event name must include only alphanumeric characters, `-`, `/`, `:` and `_`'
const EVENT_NAME = /^[\p{Alphabetic}\p{N}\-/:_]*$/u

/** @throws BusError `InvalidParams` */
export function checkEventName(event: unknown): asserts event is string {
  if (typeof event === 'string' && EVENT_NAME.test(event)) return
  const given = typeof event === 'string' ? describeName(event) : typeof event
  throw new BusError('InvalidParams', `${EVENT_NAME_RULE}: got ${given}`)
}

/** A string addresses every listener of that label, as in Tauri. @throws BusError `InvalidParams` */
export function toEventTarget(target: unknown): EventTarget {
  if (typeof target === 'string') return { kind: 'AnyLabel', label: target }
  const { kind, label } = (target ?? {}) as { kind?: unknown; label?: unknown }
  if (kind === 'Any' || kind === 'App') return { kind }
  if (kind === 'AnyLabel' || kind === 'Window' || kind === 'Webview' || kind === 'WebviewWindow') {
    if (typeof label === 'string') return { kind, label }
  }
  throw new BusError('InvalidParams', 'An event target is a label, or { kind, label } in one of Tauri’s kinds')
}

// What a frontend may be called, wherever its label comes from: options, a session that a network brings, a credential.
const LABEL = /^[a-zA-Z0-9\-/:_]{1,200}$/
/** Host and core speak of themselves by these. */
const RESERVED_LABELS = ['host', 'core']

export const LABEL_RULE = 'a label of letters, digits, "-", "/", ":" and "_"'
export const FREE_LABEL_RULE = 'a label other than "host" and "core"'

export const isLabelText = (text: string): boolean => LABEL.test(text)

export const isReservedLabel = (text: string): boolean => RESERVED_LABELS.includes(text)

/** True for a text that may be a frontend's label. */
export const isLabel = (given: unknown): given is string =>
  typeof given === 'string' && isLabelText(given) && !isReservedLabel(given)
