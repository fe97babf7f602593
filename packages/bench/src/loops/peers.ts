// Calls without a bus: over anything that posts messages, as a program without a library writes them, and by other libraries for threads, each used as
// its documentation shows. None of them checks anything.
import type { ChildProcess } from 'node:child_process'
import type { MessagePort, Worker } from 'node:worker_threads'

interface Peer {
  /** In the answering thread. */
  serve(port: MessagePort | Worker, handlers: Handlers): void
  /** In the calling thread. */
  connect(port: MessagePort | Worker): CallPeer
}

export type PeerId = 'raw' | 'birpc' | 'comlink'

/** By the names of their packages; `raw` is none: one structured clone for each message. */
const PEERS: Readonly<Record<PeerId, () => Promise<Peer>>> = {
  raw: async () => ({
    serve: (port, handlers) => serveRaw(overPort(port), handlers),
    connect: port => connectRaw(overPort(port)),
  }),
  birpc: loadBirpc,
  comlink: loadComlink,
}

export const loadPeer = (id: PeerId): Promise<Peer> => PEERS[id]()

/** A stub whose methods are the remote functions. */
type Remote = Record<string, (args: unknown) => Promise<unknown>>

async function loadBirpc(): Promise<Peer> {
  const { createBirpc } = await import('birpc')
  const connectOver = (port: MessagePort | Worker, functions: Record<string, (args: unknown) => unknown>) =>
    createBirpc<typeof functions>(functions, {
      post: data => port.postMessage(data),
      on: receive => void port.on('message', receive),
    })
  return {
    serve: (port, handlers) => void connectOver(port, { ...handlers } as Remote),
    connect: port => {
      const rpc = connectOver(port, {})
      return (command, args) => rpc.$call(command, args)
    },
  }
}

async function loadComlink(): Promise<Peer> {
  const { expose, wrap } = await import('comlink')
  const { default: adapter } = await import('comlink/dist/umd/node-adapter.js')
  // The types describe a default export, but the CommonJS file exports the function.
  const nodeEndpoint = adapter as unknown as typeof adapter.default
  return {
    serve: (port, handlers) => expose(handlers, nodeEndpoint(port)),
    connect: port => {
      const remote = wrap(nodeEndpoint(port)) as unknown as Remote
      return (command, args) => remote[command]!(args)
    },
  }
}

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

export function connectRaw(endpoint: RawEndpoint): CallPeer {
  const pending = new Map<number, Settle>()
  let calls = 0
  endpoint.listen(message => {
    if ('method' in message) return
    const settle = pending.get(message.id)!
    pending.delete(message.id)
    if (message.error === undefined) settle.resolve(message.result)
    else settle.reject(new Error(message.error))
  })
  return (method, params) =>
    new Promise((resolve, reject) => {
      pending.set(++calls, { resolve, reject })
      endpoint.post({ id: calls, method, params: params as never })
    })
}

export const greet = ({ name }: { name: string }): string => `Hello, ${name}!`

export const echo = (args: unknown): unknown => args
