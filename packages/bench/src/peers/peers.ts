// The peers: other libraries for calls between threads, measured next to the bus, and the bare MessagePort first. Each is used as
// its own documentation uses it, and loads when it is measured. None of them checks anything on the way.
import type { Piscina as Pool } from 'piscina'
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
  id: string
  load(): Promise<Peer>
  /** How values cross. */
  carries: 'structured clone' | 'JSON text'
  /** The package whose version is shown, if it is not named as the peer; `null` for a bare port. */
  from?: string | null
  /** The name in reports, if it is not the package's. */
  title?: string
  /** The configuration, if it is not the one that the package's README begins with. */
  setting?: string
}

/** One thread that takes 64 small tasks at a time, and waits for them with Atomics. */
const TUNED = { minThreads: 1, maxThreads: 1, concurrentTasksPerWorker: 64, atomics: 'sync' } as const

const [clone, json] = [{ carries: 'structured clone' }, { carries: 'JSON text' }] as const

export const PEERS: readonly PeerEntry[] = [
  { id: 'raw', title: 'raw MessagePort', from: null, ...clone, load: rawPeer(createWire) },
  { id: 'raw-batched', title: 'raw, one post a tick', from: null, ...clone, load: rawPeer(createBatchedWire) },
  { id: 'raw-json', title: 'raw, JSON text', from: null, ...json, load: rawPeer(createJsonWire) },
  { id: 'birpc', ...clone, load: loadBirpc },
  { id: 'capnweb', ...clone, load: loadCapnweb },
  { id: 'comlink', ...clone, load: loadComlink },
  { id: 'orpc', title: 'oRPC', from: '@orpc/server', ...json, load: loadOrpc },
  { id: 'vscode-jsonrpc', ...clone, load: loadVscodeJsonrpc },
  { id: 'piscina', ...clone, load: () => loadPiscina({}) },
  { id: 'piscina-tuned', from: 'piscina', setting: 'tuned', ...clone, load: () => loadPiscina(TUNED) },
]

/** @throws Error if there is no such peer */
export function loadPeer(id: string): Promise<Peer> {
  const found = PEERS.find(peer => peer.id === id)
  return found ? found.load() : Promise.reject(new Error(`Unknown peer '${id}'`))
}

/** A call or its answer over a bare port, as anyone would write it first: a number to find the promise again. */
interface RawCall {
  call?: number
  answer?: number
  command?: string
  value?: unknown
}

interface Wire {
  send(message: RawCall): void
  receive(take: (message: RawCall) => void): void
}

/** The reference: one post and one structured clone for each message. */
function createWire(port: MessagePort): Wire {
  return { send: message => port.postMessage(message), receive: take => void port.on('message', take) }
}

/** Shows what JSON text costs. */
function createJsonWire(port: MessagePort): Wire {
  return {
    send: message => port.postMessage(JSON.stringify(message)),
    receive: take => void port.on('message', (text: string) => take(JSON.parse(text) as RawCall)),
  }
}

/** Shows what batching alone gains: one post for all messages of a tick. */
function createBatchedWire(port: MessagePort): Wire {
  let batch: RawCall[] = []
  const flush = (): void => {
    port.postMessage(batch)
    batch = []
  }
  return {
    send: message => {
      // Runs once the promises of this tick have settled.
      if (batch.push(message) === 1) process.nextTick(flush)
    },
    receive: take => void port.on('message', (messages: RawCall[]) => messages.forEach(take)),
  }
}

function rawPeer(over: (port: MessagePort) => Wire): () => Promise<Peer> {
  const serve = (port: MessagePort, handlers: Handlers): void => {
    const { send, receive } = over(port)
    receive(({ call, command, value }) => {
      const answer = handlers[command ?? '']?.(value as never)
      if (answer instanceof Promise) void answer.then(late => send({ answer: call!, value: late }))
      else send({ answer: call!, value: answer })
    })
  }
  const connect = (port: MessagePort): CallPeer => {
    const { send, receive } = over(port)
    const pending = new Map<number, (value: unknown) => void>()
    let calls = 0
    receive(({ answer, value }) => {
      const settle = pending.get(answer!)
      pending.delete(answer!)
      settle?.(value)
    })
    return (command, value) =>
      new Promise(resolve => {
        pending.set(++calls, resolve)
        send({ call: calls, command, value })
      })
  }
  return async () => ({ serve, connect })
}

/** A stub whose methods are the remote functions. */
type Remote = Record<string, (args: unknown) => Promise<unknown>>

const callMethod =
  (remote: Remote): CallPeer =>
  (command, args) =>
    remote[command]!(args)

/** Node's port has all that libraries for browsers use of the DOM's; only the types differ. */
const asDom = (port: MessagePort): never => port as never

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

async function loadCapnweb(): Promise<Peer> {
  const { newMessagePortRpcSession, RpcTarget } = await import('capnweb')
  return {
    serve: (port, handlers) => {
      // Only methods of the class are visible to the other side, and not properties of the object.
      class Target extends RpcTarget {}
      Object.assign(Target.prototype, handlers)
      newMessagePortRpcSession(asDom(port), new Target())
    },
    connect: port => callMethod(newMessagePortRpcSession(asDom(port)) as unknown as Remote),
  }
}

async function loadComlink(): Promise<Peer> {
  const { expose, wrap } = await import('comlink')
  const { default: adapter } = await import('comlink/dist/umd/node-adapter.js')
  // Its types describe a default export; the file is CommonJS and exports the function itself.
  const nodeEndpoint = adapter as unknown as typeof adapter.default
  return {
    serve: (port, handlers) => expose(handlers, nodeEndpoint(port)),
    connect: port => callMethod(wrap(nodeEndpoint(port)) as unknown as Remote),
  }
}

async function loadOrpc(): Promise<Peer> {
  const { createORPCClient } = await import('@orpc/client')
  const { RPCLink } = await import('@orpc/client/message-port')
  const { os } = await import('@orpc/server')
  const { RPCHandler } = await import('@orpc/server/message-port')
  return {
    serve: (port, handlers) => {
      const procedures = Object.entries(handlers).map(([command, handler]) => [
        command,
        os.handler(({ input }) => handler(input as never)),
      ])
      new RPCHandler(Object.fromEntries(procedures)).upgrade(port)
      port.start()
    },
    connect: port => {
      const client = createORPCClient<never>(new RPCLink({ port })) as Remote
      port.start()
      return callMethod(client)
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

async function loadPiscina(options: ConstructorParameters<typeof Pool>[0]): Promise<Peer> {
  const { Piscina } = await import('piscina')
  return {
    connect: () => {
      const pool = new Piscina({ filename: import.meta.resolve('#dist/loops/handlers'), ...options })
      return (command, args) => pool.run(args, { name: command })
    },
  }
}
