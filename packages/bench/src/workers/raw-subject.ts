// The reference: calls, events and streams over a bare MessagePort, as anyone would write them first. One structured
// clone a message, a number to find the promise again, and nothing else: no text, no checks, no order of its own.
import type { MessagePort } from 'node:worker_threads'
import type { Subject } from './subject.js'

/** A call · its answer · an event · a message of a stream, which names the call it belongs to. */
export interface RawMessage {
  call?: number
  answer?: number
  event?: string
  stream?: number
  command?: string
  value?: unknown
}

export function rawSubject(port: MessagePort): Subject {
  const pending = new Map<number, (value: unknown) => void>()
  const streams = new Map<number, (message: unknown) => void>()
  const listeners = new Map<string, (payload: unknown) => void>()
  let calls = 0

  port.on('message', ({ answer, stream, event, value }: RawMessage) => {
    if (answer !== undefined) {
      const settle = pending.get(answer)
      pending.delete(answer)
      settle?.(value)
    } else if (stream !== undefined) streams.get(stream)?.(value)
    else if (event !== undefined) listeners.get(event)?.(value)
  })

  const call = (command: string, value: unknown, transfer?: readonly ArrayBuffer[]): Promise<unknown> =>
    new Promise(resolve => {
      pending.set(++calls, resolve)
      port.postMessage({ call: calls, command, value }, transfer)
    })

  return {
    call,
    give: (command, bytes) => call(command, bytes, [bytes.buffer as ArrayBuffer]) as Promise<Uint8Array<ArrayBuffer>>,
    emit: (event, value) => port.postMessage({ event, value }),
    listen: async (event, receive) => {
      listeners.set(event, receive)
      return () => listeners.delete(event)
    },
    stream: async (command, count, receive) => {
      const id = calls + 1
      streams.set(id, receive)
      await call(command, { count })
      streams.delete(id)
    },
  }
}
