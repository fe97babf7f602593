// The peers: other libraries for calls between threads, each used as its documentation shows. None of them checks anything.
import type { MessagePort } from 'node:worker_threads'

type Handlers = Readonly<Record<string, (args: never) => unknown>>

export type CallPeer = (command: string, args: unknown) => Promise<unknown>

export interface Peer {
  /** In the answering thread. */
  serve(port: MessagePort, handlers: Handlers): void
  /** In the measuring thread. */
  connect(port: MessagePort): CallPeer
}

export interface PeerEntry {
  /** The name of the package if there is no title. */
  id: string
  title?: string
  load(): Promise<Peer>
}

export const PEERS: readonly PeerEntry[] = [
  { id: 'text', title: 'JSON-RPC text', load: loadText },
  { id: 'birpc', load: loadBirpc },
  { id: 'comlink', load: loadComlink },
  { id: 'vscode-jsonrpc', load: loadVscodeJsonrpc },
]

/** @throws Error if there is no such peer */
export function loadPeer(id: string): Promise<Peer> {
  const found = PEERS.find(peer => peer.id === id)
  return found ? found.load() : Promise.reject(new Error(`Unknown peer '${id}'`))
}

/** A stub whose methods are the remote functions. */
type Remote = Record<string, (args: unknown) => Promise<unknown>>

/** No library: posts JSON-RPC text, with bytes as base64. */
async function loadText(): Promise<Peer> {
  return {
    serve: (port, handlers) =>
      void port.on('message', (text: string) => {
        const { id, method, params } = JSON.parse(text) as { id: number; method: string; params: never }
        port.postMessage(JSON.stringify({ jsonrpc: '2.0', id, result: handlers[method]!(params) }))
      }),
    connect: port => {
      const pending = new Map<number, (result: unknown) => void>()
      let calls = 0
      port.on('message', (text: string) => {
        const { id, result } = JSON.parse(text) as { id: number; result: unknown }
        pending.get(id)?.(result)
        pending.delete(id)
      })
      const call: CallPeer = (method, params) =>
        new Promise(resolve => {
          pending.set(++calls, resolve)
          port.postMessage(JSON.stringify({ jsonrpc: '2.0', id: calls, method, params }))
        })
      return async (method, args) => {
        if (!(args instanceof Uint8Array)) return call(method, args)
        return Buffer.from((await call(method, Buffer.from(args).toString('base64'))) as string, 'base64')
      }
    },
  }
}

async function loadBirpc(): Promise<Peer> {
  const { createBirpc } = await import('birpc')
  const connectOver = (port: MessagePort, functions: Record<string, (args: unknown) => unknown>) =>
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

async function loadVscodeJsonrpc(): Promise<Peer> {
  const { createMessageConnection, PortMessageReader, PortMessageWriter } = await import('vscode-jsonrpc/node')
  const over = (port: MessagePort) => createMessageConnection(new PortMessageReader(port), new PortMessageWriter(port))
  return {
    serve: (port, handlers) => {
      const connection = over(port)
      for (const [command, handler] of Object.entries(handlers)) connection.onRequest(command, handler)
      connection.listen()
    },
    connect: port => {
      const connection = over(port)
      connection.listen()
      return (command, args) => connection.sendRequest(command, args)
    },
  }
}
