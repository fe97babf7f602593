// Plugins without a sandbox: in a thread with a peer, and in a process without a library.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { MessageChannel, Worker } from 'node:worker_threads'
import { loadPeer, type PeerId } from '../loops/peers.js'
import { connectRaw, overIpc, serveRaw } from '../loops/raw-calls.js'
import { workerUrl } from '../shared/worker-url.js'
import type { HostCode } from './host-code.js'
import type { PluginHost } from './plugin-host.js'

export async function loadWorkers(code: HostCode, id: PeerId): Promise<PluginHost> {
  const peer = await loadPeer(id)
  return {
    start: async () => {
      const { port1, port2 } = new MessageChannel()
      peer.serve(port1, { ...code.functions })
      const worker = new Worker(workerUrl('plugin-peer'), { workerData: { id, port: port2 }, transferList: [port2] })
      const request = peer.connect(worker)
      return { request, end: () => worker.terminate() }
    },
  }
}

export async function loadForks(code: HostCode): Promise<PluginHost> {
  return {
    start: async () => {
      const child = fork(workerUrl('plugin-peer'), { execArgv: [], serialization: 'advanced' })
      const exited = once(child, 'exit')
      const endpoint = overIpc(child)
      serveRaw(endpoint, { ...code.functions })
      const end = (): Promise<unknown> => {
        child.kill('SIGKILL')
        return exited
      }
      return { request: connectRaw(endpoint), end }
    },
  }
}
