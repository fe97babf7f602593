// The worker threads of all arms but the bus. `workerData` names the function that a thread runs. It loads its modules itself.
import type { CodecName } from '@sallyport/protocol/internal/codec'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { callsOnly, createMeasure, type Subject } from '../loops/calls.js'
import * as handlers from '../loops/peers.js'
import { connectRaw, loadPeer, overPort, type PeerId, serveRaw } from '../loops/peers.js'

const serveLoops = (subject: Subject): void => serveRaw(overPort(parentPort!), { measure: createMeasure(subject) })

/** The reference: one structured clone for each message, without checks. */
export function measureRaw(port: MessagePort): void {
  let receiveChunk = (_chunk: unknown): void => {}
  const call = connectRaw(overPort(port), message => receiveChunk((message as { chunk: unknown }).chunk))
  serveLoops({
    call,
    stream: (command, count, receive) => {
      receiveChunk = receive
      return call(command, { count })
    },
  })
}

/** The answering side of the reference. */
export function answerRaw(port: MessagePort): void {
  serveRaw(overPort(port), {
    greet: handlers.greet,
    echo: handlers.echo,
    echo_bytes: handlers.echo,
    download: ({ count }: { count: number }) => {
      for (let chunk = 0; chunk < count; chunk++) port.postMessage({ chunk: handlers.progress(chunk) })
    },
  })
}

export async function measurePeer(port: MessagePort, id: PeerId): Promise<void> {
  const peer = await loadPeer(id)
  serveLoops(callsOnly(peer.connect(port)))
}

export async function answerPeer(port: MessagePort, id: PeerId): Promise<void> {
  const { greet, echo } = handlers
  const peer = await loadPeer(id)
  peer.serve(port, { greet, echo, echo_bytes: echo })
}

export async function measureOneThread(codec: CodecName): Promise<void> {
  const { createBus, defineCore } = await import('@sallyport/core')
  process.env['SALLYPORT_LINK'] = 'port'
  const bus = await createBus({ core: defineCore({ commands: { greet: handlers.greet } }), codec })
  const client = await bus.connect('main')
  serveLoops(callsOnly((command, args) => client.invoke(command, args as Record<string, unknown>)))
}

const roles = { measureRaw, answerRaw, measurePeer, answerPeer, measureOneThread }
const { role, args } = workerData as { role: keyof typeof roles; args: unknown[] }
await (roles[role] as (...args: unknown[]) => unknown)(...args)
