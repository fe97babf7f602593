// The worker threads of all arms but the bus. `workerData` names the function that a thread runs. It loads its modules itself.
import { workerData, type MessagePort } from 'node:worker_threads'
import type { CodecName } from '@sallyport/protocol/internal/codec'
import * as handlers from '../loops/handlers.js'
import { createLoops, serveParent } from '../loops/serve.js'
import { callsOnly, type Subject } from '../loops/subject.js'
import { loadPeer, type PeerId } from '../peers/peers.js'

/** A message over a bare port, with an id for its answer. */
interface RawMessage {
  call?: number
  answer?: number
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
  let calls = 0

  port.on('message', ({ answer, stream, value }: RawMessage) => {
    if (answer !== undefined) {
      const settle = pending.get(answer)
      pending.delete(answer)
      settle?.(value)
    } else if (stream !== undefined) streams.get(stream)?.(value)
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
  const answers = new Map<string, (value: never, call: number) => unknown>(
    Object.entries({
      greet: handlers.greet,
      echo: handlers.echo,
      echo_bytes: handlers.echo,
      download: ({ count }: { count: number }, call: number) => {
        for (let chunk = 0; chunk < count; chunk++) port.postMessage({ stream: call, value: handlers.progress(chunk) })
      },
    }),
  )

  port.on('message', ({ call, command, value }: RawMessage) => {
    const answer = answers.get(command ?? '')?.(value as never, call!)
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

/** Runs both sides and the loops in this thread. */
export async function measureOneThread(codec: CodecName): Promise<void> {
  const { createBus, defineCore } = await import('@sallyport/core')
  const bus = await createBus({
    core: defineCore({ commands: { greet: handlers.greet } }),
    app: { security: { capabilities: [{ identifier: 'main', windows: ['main'], permissions: ['allow-greet'] }] } },
  })
  const client = await bus.connect('main', { codec, link: 'port' })
  serveParent(createLoops(callsOnly((command, args) => client.invoke(command, args as Record<string, unknown>))))
}

const roles = { measureRaw, answerRaw, measurePeer, answerPeer, measureOneThread }
const { role, args } = workerData as { role: keyof typeof roles; args: unknown[] }
await (roles[role] as (...args: unknown[]) => unknown)(...args)
