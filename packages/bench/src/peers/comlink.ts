// comlink, over its adapter for Node as in its example for worker_threads.
import { expose, wrap } from 'comlink'
import adapter from 'comlink/dist/umd/node-adapter.js'
import type { Peer } from './peer.js'

// Its types describe a default export; the file is CommonJS and gives the function itself.
const nodeEndpoint = adapter as unknown as typeof adapter.default

type Remote = Record<string, (args: unknown) => Promise<unknown>>

export const peer: Peer = {
  serve: (port, handlers) => expose(handlers, nodeEndpoint(port)),
  connect: port => {
    const remote = wrap(nodeEndpoint(port)) as unknown as Remote
    return (command, args) => remote[command]!(args)
  },
}
