// Arms over NATS: two threads that are connected by a server. They use NATS's request and reply, or the bus: core is in this process,
// and a thread joins as another process would. Each arm starts a server.
import { createBus } from '@sallyport/core'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { Arm, Arms, OpenArm } from '../model/scenario.js'
import { readVersion } from '../run/machine.js'
import { createCapability, createPattern, LABEL } from './bus.js'
import { startThread, threadArm } from './threads.js'
import { workerUrl } from '../shared/worker-url.js'

/** Debian installs it into /usr/sbin, which is not in every PATH. */
const DIRECTORIES = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
const executable =
  process.env['NATS_SERVER'] ?? DIRECTORIES.map(directory => join(directory, 'nats-server')).find(existsSync)

const lacksServer = (): string | undefined =>
  executable !== undefined && existsSync(executable) ? undefined : 'there is no nats-server here'

const START_TIMEOUT_MS = 30_000

/** Starts a server on a free port of loopback. */
async function startServer(): Promise<{ url: string; end(): Promise<void> }> {
  const lack = lacksServer()
  if (lack !== undefined) throw new Error(lack)
  // The end of the shell's input kills the server, also if this process is killed.
  const script = '"$0" -a 127.0.0.1 -p -1 & read -r _; kill -KILL $!; wait'
  const shell = spawn('/bin/sh', ['-c', script, executable!], { stdio: ['pipe', 'ignore', 'pipe'] })
  const exited = once(shell, 'close')
  const timer = setTimeout(() => shell.stderr.destroy(), START_TIMEOUT_MS)
  let log = ''
  const port = await new Promise<string | undefined>(resolve => {
    shell.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      log += chunk
      if (log.includes('Server is ready')) resolve(/client connections on \S*:(\d+)/.exec(log)?.[1])
    })
    shell.stderr.once('close', () => resolve(undefined))
  })
  clearTimeout(timer)
  const end = async (): Promise<void> => {
    shell.stdin.end()
    await exited
  }
  if (port !== undefined) return { url: `nats://127.0.0.1:${port}`, end }
  await end()
  throw new Error(`${executable} did not listen within ${START_TIMEOUT_MS} ms`)
}

const natsArm = (arm: Omit<Arm, 'open'>, open: (url: string) => Promise<OpenArm>): Arm => ({
  ...arm,
  lacks: lacksServer,
  open: async () => {
    const { url, end } = await startServer()
    try {
      const { measure, close } = await open(url)
      return { measure, close: () => close().then(end) }
    } catch (error) {
      await end()
      throw error
    }
  },
})

export const natsArms = (): Arms => [
  natsArm({ id: 'nats', title: `NATS ${readVersion('@nats-io/transport-node')}` }, async url => {
    const answering = startThread('answerNats', [url])
    await once(answering, 'message')
    return threadArm(startThread('measureNats', [url]), answering)
  }),
  natsArm({ id: 'nats-json', title: 'NATS JSON' }, async servers => {
    // The base of a comparison can be older than this package. Then only this arm fails.
    const { createBusSecret, issueCredential, natsNetwork } = await import('@sallyport/nats')
    const pattern = createPattern(undefined)
    const secret = createBusSecret()
    const joining = { nats: { servers }, bus: 'bench' }
    const security = { pattern, capabilities: [createCapability()] }
    const network = natsNetwork({ ...joining, secret })
    const core = await createBus({ core: workerUrl('core'), network, log: false, app: { security } })
    const credentials = [issueCredential(secret, { label: LABEL })]
    const options = { ...joining, credentials, log: false, app: { security: { pattern } } } as const
    const joined = threadArm(startThread('measureJoined', [options, LABEL]))
    return { ...joined, close: async () => void (await Promise.all([joined.close(), core.close()])) }
  }),
]
