// The peers: other libraries for calls between threads, each used as its documentation shows. None of them checks anything.
import type { MessagePort, Worker } from 'node:worker_threads'
import { connectRaw, overPort, serveRaw, type CallPeer, type Handlers } from './raw-calls.js'

export interface Peer {
  /** In the answering thread. */
  serve(port: MessagePort | Worker, handlers: Handlers): void
  /** In the calling thread. */
  connect(port: MessagePort | Worker): CallPeer
}

export type PeerId = 'raw' | 'text' | 'msgpackr' | 'birpc' | 'comlink'

/** By the names of their packages; `raw` and `text` are no libraries. */
const PEERS: Readonly<Record<PeerId, () => Promise<Peer>>> = {
  raw: async () => ({
    serve: (port, handlers) => serveRaw(overPort(port), handlers),
    connect: port => connectRaw(overPort(port)),
  }),
  text: async () =>
    overEncoding({ write: JSON.stringify, read: text => JSON.parse(text as string) as Message, isText: true }),
  msgpackr: loadMsgpackr,
  birpc: loadBirpc,
  comlink: loadComlink,
}

export const loadPeer = (id: PeerId): Promise<Peer> => PEERS[id]()

/** A stub whose methods are the remote functions. */
type Remote = Record<string, (args: unknown) => Promise<unknown>>

interface Message {
  jsonrpc: '2.0'
  id: number
  method?: string
  params?: unknown
  result?: unknown
}

interface Encoding {
  write(message: Message): string | Uint8Array<ArrayBuffer>
  read(data: unknown): Message
  /** Bytes are sent as base64. */
  isText?: boolean
}

/** No library for calls: posts each JSON-RPC message in an encoding. */
function overEncoding({ write, read, isText = false }: Encoding): Peer {
  const post = (port: MessagePort | Worker, message: Omit<Message, 'jsonrpc'>): void => {
    const data = write({ jsonrpc: '2.0', ...message })
    port.postMessage(data, typeof data === 'string' ? [] : [data.buffer])
  }
  return {
    serve: (port, handlers) =>
      void port.on('message', (data: unknown) => {
        const { id, method = '', params } = read(data)
        post(port, { id, result: handlers[method]!(params as never) })
      }),
    connect: port => {
      const pending = new Map<number, (result: unknown) => void>()
      let calls = 0
      port.on('message', (data: unknown) => {
        const { id, result } = read(data)
        pending.get(id)?.(result)
        pending.delete(id)
      })
      const call: CallPeer = (method, params) =>
        new Promise(resolve => {
          pending.set(++calls, resolve)
          post(port, { id: calls, method, params })
        })
      return async (method, args) => {
        if (!isText || !(args instanceof Uint8Array)) return call(method, args)
        return Buffer.from((await call(method, Buffer.from(args).toString('base64'))) as string, 'base64')
      }
    },
  }
}

async function loadMsgpackr(): Promise<Peer> {
  const { Packr } = await import('msgpackr')
  // Records are an extension that other libraries of MessagePack do not read.
  const packr = new Packr({ useRecords: false })
  return overEncoding({
    // It packs into a buffer that it shares with other messages.
    write: message => Uint8Array.from(packr.pack(message)),
    read: data => packr.unpack(data as Uint8Array) as Message,
  })
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
