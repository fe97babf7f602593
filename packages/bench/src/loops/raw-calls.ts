// Calls over anything that posts messages, without checks: what a program without a library writes. The reference of most figures.
import type { ChildProcess } from 'node:child_process'
import type { MessagePort, Worker } from 'node:worker_threads'

/** Functions by the names of their commands. */
export type Handlers = Readonly<Record<string, (args: never) => unknown>>

type Transfer = readonly ArrayBuffer[]

export type CallPeer = (command: string, args: unknown, transfer?: Transfer) => Promise<unknown>

type Request = { id: number; method: string; params: never }

type Answer = { id: number; result?: unknown; error?: string }

/** Both of its sides can call. */
export interface RawEndpoint {
  post(message: Request | Answer, transfer?: Transfer): void
  listen(receive: (message: Request | Answer) => void): void
}

export const overPort = (port: MessagePort | Worker): RawEndpoint => ({
  post: (message, transfer) => port.postMessage(message, transfer),
  listen: receive => void port.on('message', receive),
})

/** Node's IPC channel, seen by either process. A message to a process that exited is lost. */
export const overIpc = (peer: NodeJS.Process | ChildProcess): RawEndpoint => ({
  post: message => void peer.send?.(message, undefined, {}, () => {}),
  listen: receive => void peer.on('message', message => receive(message as Request | Answer)),
})

/** Answers in the same tick, unless the function is asynchronous. */
export function serveRaw(endpoint: RawEndpoint, handlers: Handlers): void {
  const succeed = (id: number, result: unknown): void => endpoint.post({ id, result })
  const fail = (id: number, error: unknown): void =>
    endpoint.post({ id, error: error instanceof Error ? error.message : String(error) })
  endpoint.listen(message => {
    if (!('method' in message)) return
    const { id, method, params } = message
    try {
      const result = handlers[method]!(params)
      if (result instanceof Promise) result.then(value => succeed(id, value)).catch((error: unknown) => fail(id, error))
      else succeed(id, result)
    } catch (error) {
      fail(id, error)
    }
  })
}

type Settle = { resolve(result: unknown): void; reject(error: Error): void }

/** @param receiveOther - receives messages that are neither calls nor answers */
export function connectRaw(endpoint: RawEndpoint, receiveOther: (message: unknown) => void = () => {}): CallPeer {
  const pending = new Map<number, Settle>()
  let calls = 0
  endpoint.listen(message => {
    if ('method' in message) return
    const settle = pending.get(message.id)
    if (!settle) return receiveOther(message)
    pending.delete(message.id)
    if (message.error === undefined) settle.resolve(message.result)
    else settle.reject(new Error(message.error))
  })
  return (method, params, transfer) =>
    new Promise((resolve, reject) => {
      pending.set(++calls, { resolve, reject })
      endpoint.post({ id: calls, method, params: params as never }, transfer)
    })
}
