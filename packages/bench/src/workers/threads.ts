// The worker threads of all arms but the bus: `workerData` names the export that one runs, which loads what only it needs.
import { MessageChannel, workerData, type MessagePort } from 'node:worker_threads'
import type { CodecName } from '@sallyport/protocol/internal'
import { createCodecLoop, type MeasuredCodec } from '../loops/codec.js'
import * as handlers from '../loops/handlers.js'
import { createLoops, serveParent } from '../loops/serve.js'
import { callsOnly, type Subject } from '../loops/subject.js'
import { loadPeer } from '../peers/peers.js'

/** A message over a bare port, as anyone would write it first: with a number to find the promise again, and nothing else. */
interface RawMessage {
  call?: number
  answer?: number
  event?: string
  stream?: number
  command?: string
  value?: unknown
}

/** The reference: one structured clone for each message; no text, no checks, no order of its own. */
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

/** The other side of the reference, as core is the other side of a frontend; `listeners` are frontends that only listen. */
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

/** One more frontend of the reference, which only listens. */
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

/** Encrypts and decrypts bytes, as node:crypto is used for a record: a key, a new nonce each time, and a tag of 16 bytes. */
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

/** Both sides in this thread, and the loops as well; `raw` is a bare port. */
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

const rawRoles = { measureRaw, answerRaw, listenRaw }
const roles = { ...rawRoles, measurePeer, answerPeer, measureCodec, measureCipher, measureOneThread }
const { role, args } = workerData as { role: keyof typeof roles; args: unknown[] }
await (roles[role] as (...args: unknown[]) => unknown)(...args)
