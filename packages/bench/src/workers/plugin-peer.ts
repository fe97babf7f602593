// A plugin without a sandbox: in a thread with a peer, or in a process with Node's IPC channel.
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { type CallPeer, connectRaw, type Handlers, loadPeer, overIpc, type PeerId, serveRaw } from '../loops/peers.js'

interface Client {
  invoke: CallPeer
  expose(functions: Handlers): void
}

async function connectThread(): Promise<Client> {
  const { id, port } = workerData as { id: PeerId; port: MessagePort }
  const { serve, connect } = await loadPeer(id)
  return { invoke: connect(port), expose: functions => serve(parentPort!, functions) }
}

function connectProcess(): Client {
  const endpoint = overIpc(process)
  process.once('disconnect', () => process.exit())
  return { invoke: connectRaw(endpoint), expose: functions => serveRaw(endpoint, functions) }
}

Object.assign(globalThis, { sallyport: parentPort ? await connectThread() : connectProcess() })
await import(new URL('../../frontends/plugin.js', import.meta.url).href)
