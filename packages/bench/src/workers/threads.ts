// The worker threads of all arms but the bus. `workerData` names the function that a thread runs. It loads its modules itself.
import type { NatsConnection } from '@nats-io/transport-node'
import type { JoinOptions } from '@sallyport/nats'
import { once } from 'node:events'
import { MessageChannel, parentPort, workerData, type MessagePort } from 'node:worker_threads'
import type { CodecName } from '@sallyport/protocol/internal'
import { createCodecLoop, type MeasuredCodec } from '../loops/codec.js'
import * as handlers from '../loops/handlers.js'
import { createLoops, serveParent } from '../loops/serve.js'
import { callsOnly, type Subject } from '../loops/subject.js'
import { loadPeer } from '../peers/peers.js'

/** A message over a bare port, with an id for its answer. */
interface RawMessage {
  call?: number
  answer?: number
  event?: string
  stream?: number
  command?: string
  value?: unknown
}

/** The reference: one structured clone for each message, without checks. */
export function measureRaw(port: MessagePort): void {
  serveParent(createLoops(createRawSubject(port)))
}

function createRawSubject(port: MessagePort): Subject {
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
    transfer: (command, bytes) =>
      call(command, bytes, [bytes.buffer as ArrayBuffer]) as Promise<Uint8Array<ArrayBuffer>>,
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

/** The answering side of the reference. `listeners` are frontends that only listen. */
export function answerRaw(port: MessagePort, listeners: readonly MessagePort[]): void {
  const emitRaw = (event: string, value: unknown): void => port.postMessage({ event, value })
  const { commands, receive } = handlers.createBackend(frontends => {
    if (frontends === 1) return emitRaw
    const ports = [port, ...listeners].slice(0, frontends)
    return (event, value) => {
      for (const each of ports) each.postMessage({ event, value })
    }
  })
  const answers = new Map<string, (value: never, call: number) => unknown>(
    Object.entries({
      ...commands,
      echo_bytes: handlers.echo,
      download: ({ count }: { count: number }, call: number) => {
        for (let chunk = 0; chunk < count; chunk++) port.postMessage({ stream: call, value: handlers.progress(chunk) })
      },
    }),
  )

  port.on('message', ({ call, command, event, value }: RawMessage) => {
    if (call === undefined) return receive(event!, value)
    const answer = answers.get(command ?? '')?.(value as never, call)
    if (command === 'transfer_back')
      port.postMessage({ answer: call, value }, [(value as Uint8Array<ArrayBuffer>).buffer])
    else if (answer instanceof Promise) void answer.then(late => port.postMessage({ answer: call, value: late }))
    else port.postMessage({ answer: call, value: answer })
  })
  for (const listener of listeners) listener.on('message', ({ event, value }: RawMessage) => receive(event!, value))
}

/** A frontend of the reference that only listens. */
export function listenRaw(port: MessagePort): void {
  const count = handlers.countFan(value => port.postMessage({ event: handlers.FAN_SEEN, value }))
  port.on('message', ({ value }: RawMessage) => count(value))
}

export async function measurePeer(id: string, port: MessagePort): Promise<void> {
  const peer = await loadPeer(id)
  serveParent(createLoops(callsOnly(peer.connect(port))))
}

export async function answerPeer(id: string, port: MessagePort): Promise<void> {
  const { greet, echo, readKib } = handlers
  const peer = await loadPeer(id)
  peer.serve(port, { greet, echo, echo_bytes: echo, read_kib: readKib })
}

export const measureCodec = async (codec: MeasuredCodec): Promise<void> => serveParent(await createCodecLoop(codec))

/** Encrypts and decrypts bytes with a key, a new nonce for each record, and a tag of 16 bytes. */
export async function measureCipher(): Promise<void> {
  const { createCipheriv, createDecipheriv, randomBytes } = await import('node:crypto')
  const algorithm = 'aes-256-gcm'
  const key = randomBytes(32)
  const nonce = Buffer.alloc(12)
  let records = 0
  const roundTrip = (bytes: Uint8Array): Uint8Array => {
    nonce.writeUInt32BE(++records)
    const sealing = createCipheriv(algorithm, key, nonce)
    const sealed = sealing.update(bytes)
    sealing.final()
    const opening = createDecipheriv(algorithm, key, nonce, { authTagLength: 16 })
    opening.setAuthTag(sealing.getAuthTag())
    const opened = opening.update(sealed)
    opening.final()
    return opened
  }
  serveParent(createLoops(callsOnly(async (_, bytes) => roundTrip(bytes as Uint8Array))))
}

/** Runs both sides and the loops in this thread. `raw` is a bare port. */
export async function measureOneThread(kind: CodecName | 'raw'): Promise<void> {
  if (kind === 'raw') {
    const { port1, port2 } = new MessageChannel()
    port2.on('message', ({ call, value }: RawMessage) =>
      port2.postMessage({ answer: call, value: handlers.greet(value as never) }),
    )
    return measureRaw(port1)
  }
  const { createBus, defineCore } = await import('@sallyport/core')
  const bus = await createBus({
    core: defineCore({ commands: { greet: handlers.greet } }),
    app: { security: { capabilities: [{ identifier: 'main', windows: ['main'], permissions: ['allow-greet'] }] } },
  })
  const client = await bus.connect('main', { codec: kind, link: 'port' })
  serveParent(createLoops(callsOnly((command, args) => client.invoke(command, args as Record<string, unknown>))))
}

const TIMEOUT_MS = 60_000

/** Prefix of NATS subjects. */
const PREFIX = 'sallyport-bench'

async function connect(url: string): Promise<NatsConnection> {
  const nats = await import('@nats-io/transport-node')
  return nats.connect({ servers: url })
}

/** NATS's request and reply, as in its README: a subject for each command, and JSON text or bytes without checks. */
export async function measureNats(url: string): Promise<void> {
  const connection = await connect(url)
  const call = async (command: string, args: unknown): Promise<unknown> => {
    const isBytes = args instanceof Uint8Array
    const body = isBytes ? args : JSON.stringify(args)
    const answer = await connection.request(`${PREFIX}.${command}`, body, { timeout: TIMEOUT_MS })
    return isBytes ? answer.data : answer.json()
  }
  serveParent(createLoops(callsOnly(call)))
}

/** Posts a message once the server knows the subscriptions. */
export async function answerNats(url: string): Promise<void> {
  const connection = await connect(url)
  connection.subscribe(`${PREFIX}.greet`, {
    callback: (_error, message) =>
      void message.respond(JSON.stringify(handlers.greet(message.json<{ name: string }>()))),
  })
  connection.subscribe(`${PREFIX}.echo_bytes`, { callback: (_error, message) => void message.respond(message.data) })
  await connection.flush()
  parentPort?.postMessage('ready')
}

/** Joins the bus over NATS, as another process would. */
export async function measureJoined(options: JoinOptions, label: string): Promise<void> {
  const { joinBus } = await import('@sallyport/nats')
  const joined = await joinBus(options)
  const client = await joined.connect(label, { codec: 'json' })
  serveParent(createLoops(callsOnly((command, args) => client.invoke(command, args as Record<string, unknown>))))
}

/** A bare WebSocket to an echo server: JSON-RPC text, or bytes for one call at a time. */
export async function measureSocket(url: string): Promise<void> {
  const { WebSocket } = await import('ws')
  const socket = new WebSocket(url)
  await once(socket, 'open')
  const pending = new Map<number, (value: unknown) => void>()
  let calls = 0
  socket.on('message', (data: Buffer, isBinary) => {
    const { id, params } = isBinary
      ? { id: 0, params: data }
      : (JSON.parse(data.toString()) as { id: number; params: unknown })
    pending.get(id)?.(params)
    pending.delete(id)
  })
  const call = (method: string, params: unknown): Promise<unknown> =>
    new Promise(resolve => {
      const id = params instanceof Uint8Array ? 0 : ++calls
      pending.set(id, resolve)
      socket.send(id === 0 ? (params as Uint8Array) : JSON.stringify({ jsonrpc: '2.0', id, method, params }))
    })
  serveParent(createLoops(callsOnly(call)))
}

/** The client of a web page, with the globals that it needs. */
export async function measurePage(url: string): Promise<void> {
  const { WebSocket } = await import('ws')
  class PageSocket extends WebSocket {
    constructor(address: string, protocol: string) {
      super(address, protocol, { origin: new URL(url).origin })
    }
  }
  Object.assign(globalThis, { WebSocket: PageSocket, location: new URL(url) })
  const { connect } = await import('@sallyport/web/client')
  const client = await connect()
  serveParent(createLoops(callsOnly((command, args) => client.invoke(command, args as Record<string, unknown>))))
}

const threadRoles = { measureRaw, answerRaw, listenRaw, measurePeer, answerPeer, measureCodec, measureCipher }
const networkRoles = { measureNats, answerNats, measureJoined, measureSocket, measurePage }
const roles = { ...threadRoles, ...networkRoles, measureOneThread }
const { role, args } = workerData as { role: keyof typeof roles; args: unknown[] }
await (roles[role] as (...args: unknown[]) => unknown)(...args)
