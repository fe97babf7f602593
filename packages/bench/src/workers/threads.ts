// The worker threads of all arms but the bus. `workerData` names the function that a thread runs. It loads its modules itself.
import type { CodecName } from '@sallyport/protocol/internal/codec'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import type { Client } from '@sallyport/core'
import { createMeasure, type Send, type ThreadRole } from '../loops/calls.js'
import { echo, greet, loadPeer, overPort, type PeerId, serveRaw } from '../loops/peers.js'

const serveLoops = (send: Send): void => serveRaw(overPort(parentPort!), { measure: createMeasure(send) })

const roles: Record<ThreadRole, (...args: never[]) => Promise<void>> = {
  measure: async (port: MessagePort, id: PeerId) => serveLoops((await loadPeer(id)).connect(port)),
  answer: async (port: MessagePort, id: PeerId) => {
    const peer = await loadPeer(id)
    peer.serve(port, { greet, echo, echo_bytes: echo })
  },
  measureOneThread: async (codec: CodecName) => {
    const { createBus, defineCore } = await import('@sallyport/core')
    process.env['SALLYPORT_LINK'] = 'port'
    const bus = await createBus({ core: defineCore({ commands: { greet } }), codec })
    const client: Client = await bus.connect('main')
    serveLoops((command, args) => client.invoke(command, args as Record<string, unknown>))
  },
}
const { role, args }: { role: ThreadRole; args: never[] } = workerData
await roles[role](...args)
