// The peers: other libraries for calls between threads, each used as its documentation shows. None of them checks anything.
import type { MessagePort, Worker } from 'node:worker_threads'
import { connectRaw, overPort, serveRaw, type CallPeer, type Handlers, type RawEndpoint } from './raw-calls.js'

export interface Peer {
  /** In the answering thread. */
  serve(port: MessagePort | Worker, handlers: Handlers): void
  /** In the calling thread. */
  connect(port: MessagePort | Worker): CallPeer
}

export type PeerId = 'raw' | 'text' | 'birpc' | 'comlink'

/** By the names of their packages; `raw` and `text` are no libraries. */
const PEERS: Readonly<Record<PeerId, () => Promise<Peer>>> = {
  raw: async () => ({
    serve: (port, handlers) => serveRaw(overPort(port), handlers),
    connect: port => connectRaw(overPort(port)),
  }),
  text: async () => loadText(),
  birpc: loadBirpc,
  comlink: loadComlink,
}

export const loadPeer = (id: PeerId): Promise<Peer> => PEERS[id]()

/** A stub whose methods are the remote functions. */
type Remote = Record<string, (args: unknown) => Promise<unknown>>

interface Encoding {
  write(message: object): string | Uint8Array<ArrayBuffer>
  read(data: unknown): object
}

/** No library for calls: posts each JSON-RPC message in an encoding. */
function overEncoding({ write, read }: Encoding): Peer {
  const createEndpoint = (port: MessagePort | Worker): RawEndpoint => ({
    post: message => {
      const data = write({ jsonrpc: '2.0', ...message })
      port.postMessage(data, typeof data === 'string' ? [] : [data.buffer])
    },
    listen: receive => void port.on('message', data => receive(read(data) as Parameters<typeof receive>[0])),
  })
  return {
    serve: (port, handlers) => serveRaw(createEndpoint(port), handlers),
    connect: port => connectRaw(createEndpoint(port)),
  }
}

/** Sends bytes as base64. */
function loadText(): Peer {
  const { serve, connect } = overEncoding({ write: JSON.stringify, read: text => JSON.parse(text as string) as object })
  return {
    serve,
    connect: port => {
      const call = connect(port)
      return async (command, args) => {
        if (!(args instanceof Uint8Array)) return call(command, args)
        return Buffer.from((await call(command, Buffer.from(args).toString('base64'))) as string, 'base64')
      }
    },
  }
}

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
