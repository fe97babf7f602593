// Arms over NATS: two threads that meet over a server, as processes on two machines do. They use NATS's own request and reply, or
// the bus: its core is in this process, and another thread joins as another process would.
import { createBus } from '@sallyport/core'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { Readable } from 'node:stream'
import type { Arm, Arms, OpenArm } from '../model/scenario.js'
import { readVersion } from '../run/machine.js'
import type { PlainNats } from '../workers/network.js'
import { createCapability, createPattern, LABEL, ringJson } from './bus.js'
import { startNetworkThread, threadArm, workerUrl } from './threads.js'

/** Debian installs it where a user's PATH may not look. */
const DIRECTORIES = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
const executable =
  process.env['NATS_SERVER'] ?? DIRECTORIES.map(directory => join(directory, 'nats-server')).find(existsSync)

/** Returns what this machine lacks for scenarios over NATS, if anything. */
export const lacksServer = (): string | undefined =>
  executable !== undefined && existsSync(executable) ? undefined : 'there is no nats-server here'

interface Server {
  url: string
  end(): Promise<void>
}

/** Milliseconds in which the server must listen. */
const START_TIMEOUT_MS = 30_000

/** One server for all arms of a process, on a free port of loopback. It starts with the first arm, and ends with the last. */
let shared: Promise<Server> | undefined
let users = 0

/** @param open takes the URL of the server, which is released when the arm closes or cannot be opened */
async function openWithServer(open: (url: string) => Promise<OpenArm>): Promise<OpenArm> {
  users++
  const release = async (): Promise<void> => {
    if (--users > 0) return
    const ending = shared
    shared = undefined
    await (await ending)?.end()
  }
  try {
    const { url } = await (shared ??= startServer())
    const { measure, close } = await open(url)
    return { measure, close: () => close().then(release) }
  } catch (error) {
    await release().catch(() => {})
    throw error
  }
}

async function startServer(): Promise<Server> {
  const lack = lacksServer()
  if (lack !== undefined) throw new Error(lack)
  // If this process is killed, the shell's input ends, and with it the server.
  const script = '"$0" -a 127.0.0.1 -p -1 & read -r _; kill -KILL $!; wait'
  const shell = spawn('/bin/sh', ['-c', script, executable!], { stdio: ['pipe', 'ignore', 'pipe'] })
  const exited = new Promise<void>(resolve => {
    shell.once('error', () => resolve())
    shell.once('close', () => resolve())
  })
  const end = async (): Promise<void> => {
    shell.stdin.end()
    await exited
  }
  const port = await readPort(shell.stderr)
  if (port !== undefined) return { url: `nats://127.0.0.1:${port}`, end }
  await end()
  throw new Error(`${executable} did not listen within ${START_TIMEOUT_MS} ms`)
}

/** Returns the port that the server's log names, once the server accepts connections. */
async function readPort(log: Readable): Promise<string | undefined> {
  let text = ''
  const timer = setTimeout(() => log.destroy(), START_TIMEOUT_MS)
  try {
    return await new Promise(resolve => {
      log.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
        if (text.includes('Server is ready')) resolve(/client connections on \S*:(\d+)/.exec(text)?.[1])
      })
      log.once('close', () => resolve(undefined))
    })
  } finally {
    clearTimeout(timer)
  }
}

let opened = 0

/** NATS's own request and reply. */
const plainArm = (id: string, tuned: boolean): Arm => ({
  id,
  title: `NATS ${readVersion('@nats-io/transport-node')}${tuned ? ', tuned' : ''}`,
  carries: 'JSON text',
  checks: [],
  open: () =>
    openWithServer(async url => {
      const plain: PlainNats = { url, prefix: `bench-${opened++}`, tuned }
      const answering = startNetworkThread('answerNats', plain)
      await once(answering, 'message')
      return threadArm(startNetworkThread('measureNats', plain), answering)
    }),
})

const busArm = (id: string, title: string, hook?: 'check'): Arm => ({
  id,
  title,
  carries: 'JSON-RPC text',
  checks: ['authority', ...(hook ? ['hook'] : []), 'records'],
  open: () =>
    openWithServer(async url => {
      // A base of a comparison may be older than this package: then only these arms fail.
      const { createBusSecret, issueCredential, natsNetwork } = await import('@sallyport/nats')
      const pattern = createPattern(hook)
      const security = { pattern, capabilities: [createCapability()] }
      const secret = createBusSecret()
      const joining = { nats: { servers: url }, bus: id }
      const network = natsNetwork({ ...joining, secret })
      const core = await createBus({ core: workerUrl('core'), network, log: false, app: { security } })
      const credentials = [issueCredential(secret, { label: LABEL })]
      const options = { ...joining, credentials, log: false, app: { security: { pattern } } } as const
      const joined = threadArm(startNetworkThread('measureJoined', options, LABEL))
      return { ...joined, close: async () => void (await Promise.all([joined.close(), core.close()])) }
    }),
})

/** Reads the version of NATS's client when it is called. */
export const natsArms = (): Arms => [
  plainArm('nats', false),
  plainArm('nats-tuned', true),
  busArm('nats-json', 'NATS JSON'),
  busArm('isolation-nats-json', 'isolation, NATS JSON', 'check'),
  ringJson,
]
