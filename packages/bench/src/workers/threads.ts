// The worker threads of all arms but the bus. `workerData` names the function that a thread runs. It loads its modules itself.
import type { CodecName } from '@sallyport/protocol/internal/codec'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { createMeasure, type Send, type ThreadRole } from '../loops/calls.js'
import { echo, greet, loadPeer, overPort, type PeerId, serveRaw } from '../loops/peers.js'

const serveLoops = (send: Send): void => serveRaw(overPort(parentPort!), { measure: createMeasure(send) })

async function measure(port: MessagePort, id: PeerId): Promise<void> {
  const peer = await loadPeer(id)
  serveLoops(peer.connect(port))
}

async function answer(port: MessagePort, id: PeerId): Promise<void> {
  const peer = await loadPeer(id)
  peer.serve(port, { greet, echo, echo_bytes: echo })
}

async function measureOneThread(codec: CodecName): Promise<void> {
  const { createBus, defineCore } = await import('@sallyport/core')
  process.env['SALLYPORT_LINK'] = 'port'
  const bus = await createBus({ core: defineCore({ commands: { greet } }), codec })
  const client = await bus.connect('main')
  serveLoops((command, args) => client.invoke(command, args as Record<string, unknown>))
}

const roles: Record<ThreadRole, (...args: never[]) => Promise<void>> = { measure, answer, measureOneThread }
const { role, args } = workerData as { role: ThreadRole; args: never[] }
await roles[role](...args)
