// A plugin without a sandbox: in a thread with its port, or in a process with Node's IPC channel.
import { parentPort } from 'node:worker_threads'
import { type CallPeer, connectRaw, type Handlers, overIpc, overPort, serveRaw } from '../loops/peers.js'

const endpoint = parentPort ? overPort(parentPort) : overIpc(process)
process.once('disconnect', () => process.exit())

const expose = (functions: Handlers): void => serveRaw(endpoint, functions)
// A port delivers from its first listener on, which must be that of the functions.
let call: CallPeer | undefined
const invoke: CallPeer = (command, args) => (call ??= connectRaw(endpoint))(command, args)
Object.assign(globalThis, { sallyport: { invoke, expose } })
await import(new URL('../../frontends/plugin.js', import.meta.url).href)
