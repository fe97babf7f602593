// The peers: other libraries for calls between threads, measured next to the bus. Each is used as its own documentation uses it, and
// loads when it is measured. None of them checks anything on the way.
import type { MessagePort } from 'node:worker_threads'

type Handlers = Readonly<Record<string, (args: never) => unknown>>

/** Calls a handler by its name. */
export type CallPeer = (command: string, args: unknown) => Promise<unknown>

export interface Peer {
  /** In the answering thread. A pool has no such side: it starts threads of its own. */
  serve?(port: MessagePort, handlers: Handlers): void
  /** In the measuring thread. */
  connect(port: MessagePort): CallPeer
}

export interface PeerEntry {
  /** The name of the package. */
  id: string
  load(): Promise<Peer>
  /** It starts its answering thread itself. */
  pool?: true
}

export const PEERS: readonly PeerEntry[] = [
  { id: 'birpc', load: loadBirpc },
  { id: 'comlink', load: loadComlink },
  { id: 'vscode-jsonrpc', load: loadVscodeJsonrpc },
  { id: 'piscina', pool: true, load: loadPiscina },
]

/** @throws Error if there is no such peer */
export function loadPeer(id: string): Promise<Peer> {
  const found = PEERS.find(peer => peer.id === id)
  return found ? found.load() : Promise.reject(new Error(`Unknown peer '${id}'`))
}

/** A stub whose methods are the remote functions. */
type Remote = Record<string, (args: unknown) => Promise<unknown>>

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
  // Its types describe a default export; the file is CommonJS and exports the function itself.
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

async function loadPiscina(): Promise<Peer> {
  const { Piscina } = await import('piscina')
  return {
    connect: () => {
      const pool = new Piscina({ filename: import.meta.resolve('#dist/loops/handlers') })
      return (command, args) => pool.run(args, { name: command })
    },
  }
}
