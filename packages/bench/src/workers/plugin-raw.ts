// A plugin of the references: in a thread with a bare MessagePort, or in a process with Node's IPC channel.
import { parentPort } from 'node:worker_threads'
import { connectRaw } from '../plugin/raw-rpc.js'

let exposed: Parameters<typeof connectRaw>[1] = () => ({})

const invoke = connectRaw(
  parentPort
    ? { post: message => parentPort!.postMessage(message), listen: receive => void parentPort!.on('message', receive) }
    : { post: message => void process.send!(message), listen: receive => void process.on('message', receive) },
  () => exposed(),
)
process.once('disconnect', () => process.exit())

const expose = (functions: ReturnType<typeof exposed>): void => void (exposed = () => functions)
Object.assign(globalThis, { sallyport: { invoke, expose } })
await import(new URL('../../frontends/plugin.js', import.meta.url).href)
