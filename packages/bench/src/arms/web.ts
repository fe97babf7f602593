// Arms over a WebSocket on loopback: a bare echo server, and a bus with web pages. The server is in this process, as in a host. The
// client is in a thread.
import { createBus } from '@sallyport/core'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { WebSocketServer } from 'ws'
import type { Arm, Arms } from '../model/scenario.js'
import { readVersion } from '../run/machine.js'
import { createPattern, LABEL, type BusArmOptions } from './bus.js'
import { processArm } from './lifecycle.js'
import { startThread, threadArm } from './threads.js'
import { workerUrl } from '../shared/worker-url.js'

export type EchoServer = { url: string; close(): Promise<void> }

async function startBare(): Promise<EchoServer> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  server.on('connection', socket => socket.on('message', (data, binary) => socket.send(data, { binary })))
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/`, close: async () => server.close() }
}

/** @param core - the module of core. Without one, core runs in this thread, as in the quick start of the documentation. */
async function startPages(core?: URL, hook?: BusArmOptions['hook']): Promise<EchoServer> {
  // The base of a comparison can be older than this package. Then only this arm fails.
  const { serveFrontends } = await import('@sallyport/web')
  const definition = (await import('../workers/core.js')).default
  const app = { security: { pattern: createPattern(hook) } }
  const bus = await createBus({ core: core ?? definition, log: false, app })
  const web = await serveFrontends(bus, {
    frontends: { [LABEL]: { allow: ['echo', 'echo_bytes'], multiple: true } },
    authenticate: () => LABEL,
    ...{ maxConnections: 10_000, maxHandshakes: 10_000 },
  })
  return { url: web.url, close: () => bus.close({ timeout: 0 }) }
}

/** Servers by the name of their arm. */
export const WEB_SERVERS: Readonly<Record<string, () => Promise<EchoServer>>> = {
  ws: startBare,
  'web-json': () => startPages(),
  'web-worker': () => startPages(workerUrl('core')),
  'web-isolation': () => startPages(workerUrl('core'), 'check'),
}

const webArm = (id: string, title: string): Arm => ({
  id,
  title,
  open: async () => {
    const { url, close } = await WEB_SERVERS[id]!()
    const client = threadArm(startThread(id === 'ws' ? 'measureSocket' : 'measurePage', [url]))
    return { measure: client.measure, close: () => client.close().then(close) }
  },
})

const bare = (): Arm => webArm('ws', `ws ${readVersion('ws')}`)
const page = webArm('web-json', 'page')

export const webArms = (): Arms => [
  bare(),
  page,
  webArm('web-worker', 'page, worker'),
  webArm('web-isolation', 'page, isolation'),
]

export const webMemoryArms = (): Arms => [measurePages(bare()), measurePages(page)]

const measurePages = ({ id, title }: Arm): Arm => processArm(id, title, rpc => rpc.measurePages(id))
