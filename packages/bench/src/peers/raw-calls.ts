// Calls over anything that posts messages, without checks: what a program without a library writes.
import type { ChildProcess } from 'node:child_process'
import type { MessagePort, Worker } from 'node:worker_threads'

/** Functions by the names of their commands. */
export type Handlers = Readonly<Record<string, (args: never) => unknown>>

export type CallPeer = (command: string, args: unknown) => Promise<unknown>

type Request = { id: number; method: string; params: never }

type Answer = { id: number; result?: unknown; error?: string }

/** Both of its sides can call. */
export interface RawEndpoint {
  post(message: Request | Answer): void
  listen(receive: (message: Request | Answer) => void): void
}

export const overPort = (port: MessagePort | Worker): RawEndpoint => ({
  post: message => port.postMessage(message),
  listen: receive => void port.on('message', receive),
})

/** Node's IPC channel, seen by either process. */
export const overIpc = (peer: NodeJS.Process | ChildProcess): RawEndpoint => ({
  post: message => void peer.send?.(message),
  listen: receive => void peer.on('message', message => receive(message as Request | Answer)),
})

type Settle = { resolve(result: unknown): void; reject(error: Error): void }

export function serveRaw(endpoint: RawEndpoint, handlers: Handlers): void {
  const answer = async ({ id, method, params }: Request): Promise<void> => {
    try {
      endpoint.post({ id, result: await handlers[method]!(params) })
    } catch (error) {
      endpoint.post({ id, error: (error as Error).message })
    }
  }
  endpoint.listen(message => {
    if ('method' in message) void answer(message)
  })
}

export function connectRaw(endpoint: RawEndpoint): CallPeer {
  const pending = new Map<number, Settle>()
  let calls = 0
  endpoint.listen(message => {
    if ('method' in message) return
    const settle = pending.get(message.id)
    pending.delete(message.id)
    if (message.error === undefined) settle?.resolve(message.result)
    else settle?.reject(new Error(message.error))
  })
  return (method, params) =>
    new Promise((resolve, reject) => {
      pending.set(++calls, { resolve, reject })
      endpoint.post({ id: calls, method, params: params as never })
    })
}
