// The contract of both ends of the bus beyond JSON-RPC: names of methods, headers, events, targets and labels, params of notifications.
// Commands and targets have Tauri's names; `$/` marks the transport's own methods, as in the Language Server Protocol.
import { BusError, describeName } from '../errors/bus-error.js'
import type { ErrorMessage, RequestId } from './message.js'
import { MAX_LABEL_LENGTH } from '../wire/limits.js'

export const METHOD = {
  listen: 'plugin:event|listen',
  unlisten: 'plugin:event|unlisten',
  emit: 'plugin:event|emit',
  emitTo: 'plugin:event|emit_to',
  /** The command that a hook sees for a response to a call of an exposed function. */
  answer: 'plugin:expose|answer',
  /** core → frontend: an event for listeners of this frontend. */
  event: '$/event',
  /** Both directions: a message of a stream, or its end. */
  channel: '$/channel',
  /** Both directions: the caller no longer waits for this request. */
  cancel: '$/cancelRequest',
  /** Both directions: bytes of a stream's messages that were read. */
  credit: '$/credit',
  /** Both directions: the messages of a stream have no reader any more. */
  closeChannel: '$/closeChannel',
  /** frontend → core: a request that core answers in order, after all that was sent before. It passes by the hook. */
  sync: '$/sync',
  /** gate → core: this request did not pass, and core answers it with this error. A frontend cannot send it. */
  rejected: '$/rejected',
} as const

/**
 * frontend → core: `payloads` of consecutive events of one name. Its reader replaces it by a `METHOD.emit` for each. It is apart, because
 * web pages have no use for it.
 */
export const EMIT_ALL = '$/emit'

/** Params of `$/rejected`. The id is `null` if the request had none that could be read. */
export type RejectedParams = { id: RequestId | null; error: ErrorMessage['error'] }

/** Marks a call that expects a stream. The header's value refers to the channel for the stream's values. */
export const STREAM_HEADER = 'sallyport-stream'

/** The caller's timeout in whole milliseconds. Sent over a network, where a caller can disappear without notice. */
export const TIMEOUT_HEADER = 'sallyport-timeout'

/** Tauri's event targets. A listener has one; `emitTo` addresses those that match it. */
export type EventTarget =
  | { kind: 'Any' | 'App' }
  | { kind: 'AnyLabel' | 'Window' | 'Webview' | 'WebviewWindow'; label: string }

/** The argument of a listener. `id` is the listener's own, as in Tauri. */
export interface BusEvent<T = unknown> {
  event: string
  id: number
  payload: T
}

/** Removes the listener that was added. */
export type Unlisten = () => void

/** Params of `$/event`. One notification serves all listeners of a frontend; `payloads` belong to consecutive events. */
export type EventParams = { event: string; ids: readonly number[] } & ({ payload: unknown } | { payloads: unknown[] })

/**
 * Params of `$/channel`. Messages are numbered from 0 per stream: `index` is the number of the first of consecutive `messages`. With `end`, or
 * the `error` of a source, it is the total. `credit` asks for a `$/credit` with this many bytes once all messages before it were read.
 */
export type ChannelParams =
  | ({ channel: number; index: number } & (
      | { message: unknown }
      | { messages: unknown[] }
      | { end: true }
      | { error: ErrorMessage['error'] }
    ))
  | { channel: number; index?: number; credit: number }

/** Tauri's error text, verbatim. */
export const EVENT_NAME_RULE = 'Event name must include only alphanumeric characters, `-`, `/`, `:` and `_`'
const EVENT_NAME = /^[\p{Alphabetic}\p{N}\-/:_]*$/u

/** @throws {BusError} InvalidParams */
export function checkEventName(event: unknown): asserts event is string {
  if (typeof event === 'string' && EVENT_NAME.test(event)) return
  const actual = typeof event === 'string' ? describeName(event) : typeof event
  throw new BusError('InvalidParams', `${EVENT_NAME_RULE}: got ${actual}`)
}

/** Returns the target that a user names: a string is every listener of that label, as in Tauri. @throws {BusError} InvalidParams */
export function toEventTarget(target: unknown): EventTarget {
  if (typeof target === 'string') return { kind: 'AnyLabel', label: target }
  const { kind, label } = (target ?? {}) as { kind?: unknown; label?: unknown }
  if (kind === 'Any' || kind === 'App') return { kind }
  if (kind === 'AnyLabel' || kind === 'Window' || kind === 'Webview' || kind === 'WebviewWindow') {
    if (typeof label === 'string') return { kind, label }
  }
  throw new BusError('InvalidParams', "An event target is a label, or { kind, label } with one of Tauri's kinds")
}

// Labels of frontends, which come from options, from a session over a network, or from a credential.
const LABEL = /^[a-zA-Z0-9\-/:_]+$/
/** The names of host and core themselves, and those that the host generates for `bus.run`. */
const RESERVED_LABEL = /^(?:host|core|run-\d+)$/
const LABEL_RULE = 'a label of letters, digits, "-", "/", ":" and "_"'
export const FREE_LABEL_RULE =
  'a label other than "host", "core", "run-" with a number, and names that objects inherit, such as "constructor"'

/** Returns the label for another name, such as that of an npm package: `acme-x` for `@acme/x`. An empty string if there is none. */
const toLabel = (name: string): string =>
  name
    .replaceAll(/[^a-zA-Z0-9_]+/g, '-')
    .replaceAll(/^-|-$/g, '')
    .slice(0, MAX_LABEL_LENGTH)

/** Returns what a label has to be, and an example that is near to `name`. */
export function describeLabelRule(name: unknown): string {
  const label = typeof name === 'string' ? toLabel(name) : ''
  return isLabel(label) ? `${LABEL_RULE}, such as ${JSON.stringify(label)}` : LABEL_RULE
}

export const isLabelText = (text: string): boolean => text.length <= MAX_LABEL_LENGTH && LABEL.test(text)

export const isReservedLabel = (text: string): boolean =>
  RESERVED_LABEL.test(text) || text in Object.prototype || text === 'prototype'

export const isLabel = (value: unknown): value is string =>
  typeof value === 'string' && isLabelText(value) && !isReservedLabel(value)
