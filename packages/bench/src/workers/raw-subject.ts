// The reference: calls, events and streams over a bare MessagePort, as anyone would write them first. One structured
// clone a message, a number to find the promise again, and nothing else: no text, no checks, no order of its own.
import type { MessagePort } from 'node:worker_threads'
import type { Poured } from './slow-consumer.js'
import type { Subject } from './subject.js'

/** A call · its answer · that it is given up · an event · a message of a stream, which names the call it belongs to. */
export interface RawMessage {
  call?: number
  answer?: number
  cancel?: number
  event?: string
  stream?: number
  command?: string
  value?: unknown
  /** In place of an answer's value: the message of what the handler threw. */
  error?: string
}

export function rawSubject(port: MessagePort): Subject {
  const pending = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  const streams = new Map<number, (message: unknown) => void>()
  const listeners = new Map<string, (payload: unknown) => void>()
  let calls = 0

  port.on('message', ({ answer, stream, event, value, error }: RawMessage) => {
    if (answer !== undefined) {
      const waiting = pending.get(answer)
      pending.delete(answer)
      if (error === undefined) waiting?.resolve(value)
      else waiting?.reject(new Error(error))
    } else if (stream !== undefined) streams.get(stream)?.(value)
    else if (event !== undefined) listeners.get(event)?.(value)
  })

  const call = (command: string, value: unknown, transfer?: readonly ArrayBuffer[]): Promise<unknown> =>
    new Promise((resolve, reject) => {
      pending.set(++calls, { resolve, reject })
      port.postMessage({ call: calls, command, value }, transfer)
    })

  return {
    call,
    callUntil: (command, value, signal) =>
      new Promise((resolve, reject) => {
        void call(command, value).then(resolve)
        const id = calls
        signal.addEventListener('abort', () => {
          pending.delete(id)
          port.postMessage({ cancel: id })
          reject(signal.reason as Error)
        })
      }),
    give: (command, bytes) => call(command, bytes, [bytes.buffer as ArrayBuffer]) as Promise<Uint8Array<ArrayBuffer>>,
    emit: (event, value) => port.postMessage({ event, value }),
    listen: async (event, receive) => {
      listeners.set(event, receive)
      return () => listeners.delete(event)
    },
    pour: async (count, take) => {
      const waiting: unknown[] = []
      let wake = (): void => {}
      const id = calls + 1
      streams.set(id, message => {
        waiting.push(message)
        wake()
      })
      const poured = call('pour', { count }) as Promise<Poured>
      for (let taken = 0; taken < count; taken++) {
        if (taken >= waiting.length) await new Promise<void>(resolve => (wake = resolve))
        await take(waiting[taken])
      }
      streams.delete(id)
      return poured
    },
    stream: async (command, count, receive) => {
      const id = calls + 1
      streams.set(id, receive)
      await call(command, { count })
      streams.delete(id)
    },
  }
}
