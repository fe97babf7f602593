// Plugins without a sandbox: in a thread or a process, without a library and with comlink.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads'
import { endLoopAfter, type LoadPluginHost, type Plugin } from './plugin-host.js'
import { connectRaw } from './raw-rpc.js'

const getUrl = (name: string): URL => new URL(`../workers/${name}.js`, import.meta.url)

export const loadWorkers: LoadPluginHost = async code => ({
  start: async () => {
    const worker = new Worker(getUrl('plugin-raw'))
    const request: Plugin['request'] = connectRaw(
      { post: message => worker.postMessage(message), listen: receive => void worker.on('message', receive) },
      () => ({ ...code.functions }),
    )
    return { request, endLoop: () => endLoopAfter(code, request, () => worker.terminate()) }
  },
})

export const loadForks: LoadPluginHost = async code => ({
  start: async () => {
    const child = fork(getUrl('plugin-raw'), { execArgv: [], serialization: 'advanced' })
    const exited = once(child, 'exit')
    const request: Plugin['request'] = connectRaw(
      { post: message => void child.send(message), listen: receive => void child.on('message', receive) },
      () => ({ ...code.functions }),
    )
    const end = (): Promise<unknown> => {
      child.kill('SIGKILL')
      return exited
    }
    return { request, endLoop: () => endLoopAfter(code, request, end) }
  },
})

export const loadComlink: LoadPluginHost = async code => {
  const { expose, wrap } = await import('comlink')
  const { default: adapter } = await import('comlink/dist/umd/node-adapter.js')
  // The types describe a default export, but the CommonJS file exports the function.
  const nodeEndpoint = adapter as unknown as (port: Worker | MessagePort) => ReturnType<typeof adapter.default>
  return {
    start: async () => {
      const { port1, port2 } = new MessageChannel()
      expose(code.functions, nodeEndpoint(port1))
      const worker = new Worker(getUrl('plugin-comlink'), { workerData: port2, transferList: [port2] })
      const remote = wrap(nodeEndpoint(worker)) as unknown as Record<string, (args: unknown) => Promise<unknown>>
      const request: Plugin['request'] = async (name, args) => remote[name]!(args)
      return { request, endLoop: () => endLoopAfter(code, request, () => worker.terminate()) }
    },
  }
}
