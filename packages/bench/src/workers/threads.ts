// The worker threads of all arms but the bus: `workerData` names the export that one runs, which loads what only it needs.
import { MessageChannel, parentPort, workerData, type MessagePort } from 'node:worker_threads'
import type { CodecName } from '@sallyport/protocol'
import { createCodecLoop, type MeasuredCodec } from '../loops/codec.js'
import * as handlers from '../loops/handlers.js'
import { createLoops, serve, serveParent, type Reply, type Request } from '../loops/serve.js'
import { callsOnly, type Poured, type Subject } from '../loops/subject.js'
import { loadPeer } from '../peers/peers.js'

/** A message over a bare port, as anyone would write it first: with a number to find the promise again, and nothing else. */
interface RawMessage {
  call?: number
  answer?: number
  cancel?: number
  event?: string
  stream?: number
  command?: string
  value?: unknown
  /** The message of what the handler threw. */
  error?: string
}

/** The reference: one structured clone for each message; no text, no checks, no order of its own. */
export function measureRaw(port: MessagePort): void {
  serveParent(createLoops(createRawSubject(port)))
}

function createRawSubject(port: MessagePort): Subject {
  const pending = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  const streams = new Map<number, (message: unknown) => void>()
  const listeners = new Map<string, (payload: unknown) => void>()
  let calls = 0

  port.on('message', ({ answer, stream, event, value, error }: RawMessage) => {
    if (answer !== undefined) {
      const settle = pending.get(answer)
      pending.delete(answer)
      if (error === undefined) settle?.resolve(value)
      else settle?.reject(new Error(error))
    } else if (stream !== undefined) streams.get(stream)?.(value)
    else if (event !== undefined) listeners.get(event)?.(value)
  })

  const call = (command: string, value: unknown, transfer?: readonly ArrayBuffer[]): Promise<unknown> =>
    new Promise((resolve, reject) => {
      pending.set(++calls, { resolve, reject })
      port.postMessage({ call: calls, command, value }, transfer)
    })

  return {
    call,
    callUntil: (command, value, signal) =>
      new Promise((resolve, reject) => {
        void call(command, value).then(resolve)
        const id = calls
        signal.addEventListener('abort', () => {
          pending.delete(id)
          port.postMessage({ cancel: id })
          reject(signal.reason as Error)
        })
      }),
    transfer: (command, bytes) =>
      call(command, bytes, [bytes.buffer as ArrayBuffer]) as Promise<Uint8Array<ArrayBuffer>>,
    emit: (event, value) => port.postMessage({ event, value }),
    listen: async (event, receive) => {
      listeners.set(event, receive)
      return () => listeners.delete(event)
    },
    pour: async (count, take) => {
      const received: unknown[] = []
      let wake = (): void => {}
      const id = calls + 1
      streams.set(id, message => {
        received.push(message)
        wake()
      })
      const poured = call('pour', { count }) as Promise<Poured>
      for (let taken = 0; taken < count; taken++) {
        if (taken >= received.length) await new Promise<void>(resolve => (wake = resolve))
        await take(received[taken])
      }
      streams.delete(id)
      return poured
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
  const NO_ANSWER = Symbol('no answer')
  const running = new Map<number, AbortController>()
  let poured = 0
  const emitRaw = (event: string, value: unknown): void => port.postMessage({ event, value })
  const { commands, wait, receive } = handlers.createBackend(frontends => {
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
      wait: (args: { id: number }, call: number) => {
        const controller = new AbortController()
        running.set(call, controller)
        // The caller of a cancelled call expects no answer.
        wait(args, controller.signal).catch(() => running.delete(call))
        return NO_ANSWER
      },
      pour: ({ count }: { count: number }, call: number) => {
        for (poured = 0; poured < count; poured++)
          port.postMessage({ stream: call, value: handlers.wideProgress(poured) })
        return { waited: 0 }
      },
      poured: () => poured,
      download: ({ count }: { count: number }, call: number) => {
        for (let chunk = 0; chunk < count; chunk++) port.postMessage({ stream: call, value: handlers.progress(chunk) })
      },
    }),
  )

  port.on('message', ({ call, cancel, command, event, value }: RawMessage) => {
    if (cancel !== undefined) return running.get(cancel)?.abort()
    if (call === undefined) return receive(event!, value)
    let answer: unknown
    try {
      answer = answers.get(command ?? '')?.(value as never, call)
    } catch (error) {
      return port.postMessage({ answer: call, error: (error as Error).message })
    }
    if (command === 'transfer_back')
      port.postMessage({ answer: call, value }, [(value as Uint8Array<ArrayBuffer>).buffer])
    else if (answer === NO_ANSWER) return
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

/** To both threads of the peers: one more peer, and its end of a channel. */
export interface PeerPort {
  peer: string
  port: MessagePort
}

/** To the measuring thread of the peers, and its answer; with a failure, the peer could not be loaded. */
export interface PeerRequest {
  peer: string
  request: Request
}
export interface PeerReply {
  peer: string
  reply?: Reply
  failure?: string
}

/** Measures each peer over its own port, in one thread for all of them. */
export function measurePeers(): void {
  const answers = new Map<string, ReturnType<typeof serve>>()
  const connect = ({ peer: id, port }: PeerPort): void => {
    const loops = loadPeer(id).then(peer => createLoops(callsOnly(peer.connect(port))))
    // A peer that cannot be loaded fails in its first answer.
    loops.catch(() => {})
    answers.set(
      id,
      serve(async (task, calls) => (await loops)(task, calls)),
    )
  }
  const answer = async ({ peer, request }: PeerRequest): Promise<void> => {
    const reply = await answers.get(peer)!(request)
    parentPort?.postMessage({ peer, reply } satisfies PeerReply)
  }
  parentPort?.on('message', (message: PeerPort | PeerRequest) => {
    if ('port' in message) connect(message)
    else void answer(message)
  })
}

/** Answers each peer over its own port. */
export function answerPeers(): void {
  const { greet, echo, echo_bytes, read_kib } = handlers
  parentPort?.on('message', ({ peer: id, port }: PeerPort) => {
    loadPeer(id)
      .then(peer => peer.serve?.(port, { greet, echo, echo_bytes, read_kib }))
      .catch((error: unknown) => parentPort?.postMessage({ peer: id, failure: String(error) } satisfies PeerReply))
  })
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
const roles = { ...rawRoles, measurePeers, answerPeers, measureCodec, measureCipher, measureOneThread }
const { role, args } = workerData as { role: keyof typeof roles; args: unknown[] }
await (roles[role] as (...args: unknown[]) => unknown)(...args)
