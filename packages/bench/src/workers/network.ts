// The worker threads of arms over NATS: `workerData` names the export that one runs, which loads what only it needs.
import type { NatsConnection } from '@nats-io/transport-node'
import type { JoinOptions } from '@sallyport/nats'
import { parentPort, workerData } from 'node:worker_threads'
import { greet } from '../loops/handlers.js'
import { createLoops, serveParent } from '../loops/serve.js'
import { callsOnly } from '../loops/subject.js'

/** Milliseconds: enough for 1 MiB on the slowest machine. */
const TIMEOUT_MS = 60_000

/** The subjects of both threads begin with this. */
const PREFIX = 'sallyport-bench'

async function connect(url: string): Promise<NatsConnection> {
  const nats = await import('@nats-io/transport-node')
  return nats.connect({ servers: url })
}

/** NATS's own request and reply, as its README uses it: a subject for each command, and JSON text or bytes. Nothing is checked. */
export async function measureNats(url: string): Promise<void> {
  const connection = await connect(url)
  const call = async (command: string, args: unknown): Promise<unknown> => {
    const isBytes = args instanceof Uint8Array
    const body = isBytes ? args : JSON.stringify(args)
    const answer = await connection.request(`${PREFIX}.${command}`, body, { timeout: TIMEOUT_MS })
    return isBytes ? answer.data : answer.json()
  }
  serveParent(createLoops(callsOnly(call)))
}

/** Posts a message once the server knows the subscriptions. */
export async function answerNats(url: string): Promise<void> {
  const connection = await connect(url)
  connection.subscribe(`${PREFIX}.greet`, {
    callback: (_error, message) => void message.respond(JSON.stringify(greet(message.json<{ name: string }>()))),
  })
  connection.subscribe(`${PREFIX}.echo_bytes`, { callback: (_error, message) => void message.respond(message.data) })
  await connection.flush()
  parentPort?.postMessage('ready')
}

/** A process that has joined the bus over NATS, whose own thread calls. */
export async function measureJoined(options: JoinOptions, label: string): Promise<void> {
  const { joinBus } = await import('@sallyport/nats')
  const joined = await joinBus(options)
  const client = await joined.connect(label, { codec: 'json' })
  serveParent(createLoops(callsOnly((command, args) => client.invoke(command, args as Record<string, unknown>))))
}

const roles = { measureNats, answerNats, measureJoined }
const { role, args } = workerData as { role: keyof typeof roles; args: unknown[] }
await (roles[role] as (...args: unknown[]) => unknown)(...args)
