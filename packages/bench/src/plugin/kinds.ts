// The measured kinds of plugins, and of clients: what a host does with each, and the code of the host that they call. A kind loads its library itself,
// because its first calls are measured, too.
import type { BusOptions, FrontendOptions } from '@sallyport/core'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { connectRaw, overIpc, overPort, type RawEndpoint, serveRaw } from '../loops/peers.js'
import { workerUrl } from '../run/machine.js'
import type { LoadPluginHost, Plugin } from './measure.js'

type Isolation = BusOptions['isolation'] & {}
type Sandbox = FrontendOptions['sandbox'] & {}

/** The program of every plugin: a classic script, and a module that runs it in Sallyport's sandboxes. */
const SCRIPT: URL = new URL('../../frontends/plugin.js', import.meta.url)
const MODULE: URL = new URL('../../frontends/plugin-module.js', import.meta.url)

/** Far above the time of all calls. */
const TIMEOUT_MS = 180_000

const WALL: Sandbox = { kind: 'process', wall: 'required' }
const GATE: Isolation = { dir: new URL('../../hooks/check/', import.meta.url) }

/** Clients in the host's thread, of a core in a worker. */
const inHost =
  (link: 'ring' | 'port', isolation?: Isolation): LoadPluginHost =>
  async () => {
    const { createBus } = await import('@sallyport/core')
    process.env['SALLYPORT_LINK'] = link
    const bus = await createBus({ core: workerUrl('core'), log: false, ...(isolation && { isolation }) })
    return {
      start: async label => {
        const client = await bus.connect(label)
        return {
          request: (name, args) => client.invoke(name, args as Record<string, unknown>),
          end: () => bus.closeFrontend(label),
        }
      },
      close: () => bus.close({ timeout: 0 }),
    }
  }

/** Plugins in a sandbox, with core in the host's thread, as in the quick start. The bus runs before they start. */
const inBus =
  (sandbox: Sandbox, isolation?: Isolation): LoadPluginHost =>
  async ({ functions: { greet, echo_bytes: echoBytes } }) => {
    const { createBus, defineCore } = await import('@sallyport/core')
    const core = defineCore({
      commands: { greet, echo_bytes: (_, { request }) => echoBytes(request.body) },
    })
    const bus = await createBus({ core, log: false, ...(isolation && { isolation }) })
    const isScript = (typeof sandbox === 'string' ? sandbox : sandbox.kind) === 'quickjs'
    return {
      start: async label => {
        const options = { sandbox, allow: ['greet', 'echo_bytes'], loadTimeout: TIMEOUT_MS }
        await bus.open(label, isScript ? SCRIPT : MODULE, options)
        return {
          request: (name, args) => bus.call(label, name, args as Record<string, unknown>, { timeout: TIMEOUT_MS }),
          end: () => bus.closeFrontend(label),
        }
      },
      close: () => bus.close({ timeout: 0 }),
    }
  }

/** Plugins without a bus and without a sandbox. */
const withoutBus =
  (launch: () => { endpoint: RawEndpoint; end: Plugin['end'] }): LoadPluginHost =>
  async ({ functions }) => ({
    start: async () => {
      const { endpoint, end } = launch()
      serveRaw(endpoint, { ...functions })
      return { request: connectRaw(endpoint), end }
    },
  })

const KINDS: Readonly<Record<string, LoadPluginHost>> = {
  worker: withoutBus(() => {
    const worker = new Worker(workerUrl('plugin-peer'))
    return { endpoint: overPort(worker), end: () => worker.terminate() }
  }),
  fork: withoutBus(() => {
    const child = fork(workerUrl('plugin-peer'), { execArgv: [], serialization: 'advanced' })
    const exited = once(child, 'exit')
    const end = (): Promise<unknown> => {
      child.kill('SIGKILL')
      return exited
    }
    return { endpoint: overIpc(child), end }
  }),
  'ring-json': inHost('ring'),
  'port-json': inHost('port'),
  'isolation-ring-json': inHost('ring', GATE),
  permission: inBus('permission'),
  'process-wall': inBus(WALL),
  'process-wall-isolation': inBus(WALL, { ...GATE, gates: 'each' }),
  quickjs: inBus('quickjs'),
  'quickjs-wall': inBus({ kind: 'quickjs', process: true, wall: 'required' }),
  'quickjs-wall-shared': inBus({ kind: 'quickjs', process: true, wall: 'required', perProcess: 250 }),
}

/** @throws Error if there is no such kind */
export function getPluginKind(id: string): LoadPluginHost {
  const load = KINDS[id]
  if (!load) throw new Error(`Unknown kind of plugin '${id}'`)
  return load
}
