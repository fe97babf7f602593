// NATS servers for tests: each on loopback with a port of its own, and none outlives the process that started it.
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { guard } from './guarded.js'

/** Debian has it where a user's PATH may not look. */
const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
const executable = process.env['NATS_SERVER'] ?? folders.map(folder => join(folder, 'nats-server')).find(existsSync)

/** It is not everywhere: what needs it is skipped without. */
export const hasServer = executable !== undefined && existsSync(executable)

export interface ServerOptions {
  /** Further text of its configuration: users, TLS, max_payload. */
  config?: string
  /** The cluster that it belongs to, and the `route` of others in it. */
  cluster?: { name: string; routes?: readonly string[] }
}

export interface NatsServer {
  readonly port: number
  /** For clients. */
  readonly url: string
  /** For other servers of its cluster. */
  readonly route: string
  /** What it has said since it began. */
  log(): string
  /** By itself, once what it holds is written. */
  stop(): Promise<void>
  kill(): Promise<void>
  /** Stands still, and holds its connections. */
  pause(): void
  resume(): void
  /** Tells its clients to go elsewhere, before it ends. */
  lameDuck(): void
  /** Begins again with the same ports, ended first where it runs. */
  restart(): Promise<void>
}

interface Running {
  readonly child: ChildProcess
  /** What it logged. */
  text: string
  readonly gone: Promise<void>
}

function run(args: readonly string[]): Running {
  const child = spawn(executable!, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  const server: Running = { child, text: '', gone: guard(child) }
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (server.text += text))
  return server
}

/** Resolves when it takes connections. */
async function ready(server: Running, said: readonly string[]): Promise<void> {
  const isReady = new Promise<void>(resolve => {
    server.child.stderr!.on('data', () => {
      if (said.every(line => server.text.includes(line))) resolve()
    })
  })
  const isOver = server.gone.then(() => {
    throw new Error(`nats-server ended before it was ready:\n${server.text}`)
  })
  await Promise.race([isReady, isOver])
}

const portIn = (text: string, of: string): number =>
  Number(new RegExp(`Listening for ${of} connections on \\S*:(\\d+)`).exec(text)?.[1] ?? -1)

async function startServer({ config = '', cluster }: ServerOptions = {}): Promise<NatsServer> {
  let [port, routePort] = [-1, -1]
  let server: Running

  async function begin(): Promise<void> {
    const routes = JSON.stringify(cluster?.routes ?? [])
    const ofCluster =
      cluster && `cluster { name: ${cluster.name}, listen: "127.0.0.1:${routePort}", routes: ${routes} }`
    const folder = await mkdtemp(join(tmpdir(), 'sallyport-nats-'))
    const file = join(folder, 'server.conf')
    await writeFile(file, [`listen: "127.0.0.1:${port}"`, ofCluster, config].join('\n'))
    server = run(['-c', file])
    try {
      // A server of a cluster may be ready before it listens for the others.
      await ready(server, ['Server is ready', ...(cluster ? ['Listening for route connections'] : [])])
    } finally {
      // It is read once.
      await rm(folder, { recursive: true, force: true })
    }
    port = portIn(server.text, 'client')
    routePort = portIn(server.text, 'route')
  }

  const signal = (name: NodeJS.Signals): boolean => server.child.kill(name)
  async function end(name: NodeJS.Signals): Promise<void> {
    signal(name)
    await server.gone
  }

  await begin()
  return {
    port,
    url: `nats://127.0.0.1:${port}`,
    route: `nats://127.0.0.1:${routePort}`,
    log: () => server.text,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    pause: () => void signal('SIGSTOP'),
    resume: () => void signal('SIGCONT'),
    lameDuck: () => void signal('SIGUSR2'),
    async restart() {
      signal('SIGKILL')
      await server.gone
      await begin()
    },
  }
}

/** In a test: it is ended with the test. */
export async function useServer(options?: ServerOptions): Promise<NatsServer> {
  const server = await startServer(options)
  onTestFinished(() => server.kill())
  return server
}
