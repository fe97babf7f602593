// Names on the wire: events, their targets, and the labels of frontends.
import { BusError, describeName } from '../errors/bus-error.js'
import { MAX_LABEL_LENGTH } from './limits.js'

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
