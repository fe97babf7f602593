// What a measuring thread sees of an arm. This is all that has to be written for one more way of carrying messages.
import type { Poured } from './slow-consumer.js'

export interface Subject {
  /** Calls a command of the other side with named arguments, or with bytes. */
  call(command: string, args: unknown): Promise<unknown>
  /** The same, until the signal aborts: then it rejects, and the command's own signal aborts. */
  callUntil?(command: string, args: unknown, signal: AbortSignal): Promise<unknown>
  /** Calls a command with bytes that are given away, and gets bytes that the other side has given away. */
  give?(command: string, bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>>
  /** Sends an event to the other side. */
  emit(event: string, payload: unknown): unknown
  /** Receives an event from the other side, until what it resolves to is called. */
  listen(event: string, receive: (payload: unknown) => void): Promise<() => void>
  /** Has a command fill a channel with `count` messages, each of which is taken before the next, and gives its answer. */
  pour?(count: number, take: (message: unknown) => Promise<void>): Promise<Poured>
  /** Calls a command that sends `count` messages back in order, and resolves when the call has been answered. */
  stream(command: string, count: number, receive: (message: unknown) => void): Promise<unknown>
}

/** For what carries calls and their answers, and is measured in nothing else. */
export function callsOnly(call: Subject['call']): Subject {
  const none = (): never => {
    throw new Error('this arm carries calls only')
  }
  return { call, emit: none, listen: none, stream: none }
}
