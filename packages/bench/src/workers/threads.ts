// The worker threads of all arms but the bus. `workerData` names the function that a thread runs. It loads its modules itself.
import type { NatsConnection } from '@nats-io/transport-node'
import type { JoinOptions } from '@sallyport/nats'
import { MessageChannel, parentPort, workerData, type MessagePort } from 'node:worker_threads'
import type { CodecName } from '@sallyport/protocol/internal/codec'
import { createCodecLoop, type MeasuredCodec } from '../loops/codec.js'
import * as handlers from '../loops/handlers.js'
import { createLoops, serveParent } from '../loops/serve.js'
import { callsOnly, type Subject } from '../loops/subject.js'
import { loadPeer, type PeerId } from '../peers/peers.js'

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

/** The answering side of the reference. */
export function answerRaw(port: MessagePort): void {
  const emitRaw = (event: string, value: unknown): void => port.postMessage({ event, value })
  const { commands, countEvent } = handlers.createBackend(() => emitRaw)
  const answers = new Map<string, (value: never, call: number) => unknown>(
    Object.entries({
      ...commands,
      echo_bytes: handlers.echo,
      download: ({ count }: { count: number }, call: number) => {
        for (let chunk = 0; chunk < count; chunk++) port.postMessage({ stream: call, value: handlers.progress(chunk) })
      },
    }),
  )

  port.on('message', ({ call, command, value }: RawMessage) => {
    if (call === undefined) return countEvent()
    const answer = answers.get(command ?? '')?.(value as never, call)
    if (command === 'transfer_back')
      port.postMessage({ answer: call, value }, [(value as Uint8Array<ArrayBuffer>).buffer])
    else port.postMessage({ answer: call, value: answer })
  })
}

export async function measurePeer(id: PeerId, port: MessagePort): Promise<void> {
  const peer = await loadPeer(id)
  serveParent(createLoops(callsOnly(peer.connect(port))))
}

export async function answerPeer(id: PeerId, port: MessagePort): Promise<void> {
  const { greet, echo } = handlers
  const peer = await loadPeer(id)
  peer.serve(port, { greet, echo, echo_bytes: echo })
}

export const measureCodec = async (codec: MeasuredCodec): Promise<void> => serveParent(await createCodecLoop(codec))

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

const threadRoles = { measureRaw, answerRaw, measurePeer, answerPeer, measureCodec }
const networkRoles = { measureNats, answerNats, measureJoined }
const roles = { ...threadRoles, ...networkRoles, measureOneThread }
const { role, args } = workerData as { role: keyof typeof roles; args: unknown[] }
await (roles[role] as (...args: unknown[]) => unknown)(...args)
