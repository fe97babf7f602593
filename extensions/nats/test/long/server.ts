// NATS servers for tests, on loopback and with a port of their own.
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { guard } from './guarded-child.js'

/** Debian installs the server where a user's PATH might not lead. */
const directories = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
const executable =
  process.env['NATS_SERVER'] ?? directories.map(directory => join(directory, 'nats-server')).find(existsSync)

/** Tests that need a server are skipped if none is installed. */
export const hasServer = executable !== undefined && existsSync(executable)

export interface ServerOptions {
  /** Additional text of the configuration: users, TLS, max_payload. */
  config?: string
  /** Puts the server into a cluster: returns the `route` of each server that is in it already, and may return its own. */
  getRoutes?(): readonly string[]
}

export interface NatsServer {
  readonly port: number
  /** URL for clients. */
  readonly url: string
  /** URL for other servers of the cluster. */
  readonly route: string
  /** Returns the log since the last start. */
  log(): string
  /** Stops gracefully. */
  stop(): Promise<void>
  kill(): Promise<void>
  /** Stops the process, which keeps its connections. */
  pause(): void
  resume(): void
  /** Lets the server send its clients elsewhere before it exits. */
  lameDuck(): void
  /** Kills the server if it runs, and starts it with the same ports. */
  restart(): Promise<void>
}

interface Running {
  readonly child: ChildProcess
  log: string
  readonly exited: Promise<void>
}

function run(args: readonly string[]): Running {
  const child = spawn(executable!, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  const server: Running = { child, log: '', exited: guard(child) }
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (server.log += text))
  return server
}

/** Resolves once the log contains the lines. */
async function ready(server: Running, lines: readonly string[]): Promise<void> {
  const isReady = new Promise<void>(resolve => {
    server.child.stderr!.on('data', () => {
      if (lines.every(line => server.log.includes(line))) resolve()
    })
  })
  const hasExited = server.exited.then(() => {
    throw new Error(`nats-server exited before it was ready:\n${server.log}`)
  })
  await Promise.race([isReady, hasExited])
}

const readPort = (log: string, kind: string): number =>
  Number(new RegExp(`Listening for ${kind} connections on \\S*:(\\d+)`).exec(log)?.[1] ?? -1)

async function startServer({ config = '', getRoutes }: ServerOptions = {}): Promise<NatsServer> {
  let [port, routePort] = [-1, -1]
  let server: Running

  async function start(): Promise<void> {
    const routes = getRoutes?.().filter(route => route !== `nats://127.0.0.1:${routePort}`)
    const cluster =
      routes && `cluster { name: test, listen: "127.0.0.1:${routePort}", routes: ${JSON.stringify(routes)} }`
    const directory = await mkdtemp(join(tmpdir(), 'sallyport-nats-'))
    const file = join(directory, 'server.conf')
    await writeFile(file, [`listen: "127.0.0.1:${port}"`, cluster, config].join('\n'))
    server = run(['-c', file])
    try {
      // A server of a cluster can be ready before it listens for other servers.
      await ready(server, ['Server is ready', ...(cluster ? ['Listening for route connections'] : [])])
    } finally {
      // The server reads the file only once.
      await rm(directory, { recursive: true, force: true })
    }
    port = readPort(server.log, 'client')
    routePort = readPort(server.log, 'route')
  }

  const signal = (name: NodeJS.Signals): boolean => server.child.kill(name)
  async function end(name: NodeJS.Signals): Promise<void> {
    signal(name)
    await server.exited
  }

  await start()
  return {
    port,
    url: `nats://127.0.0.1:${port}`,
    route: `nats://127.0.0.1:${routePort}`,
    log: () => server.log,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    pause: () => void signal('SIGSTOP'),
    resume: () => void signal('SIGCONT'),
    lameDuck: () => void signal('SIGUSR2'),
    async restart() {
      await end('SIGKILL')
      await start()
    },
  }
}

/** Starts a server that ends with the test. */
export async function useServer(options?: ServerOptions): Promise<NatsServer> {
  const server = await startServer(options)
  onTestFinished(() => server.kill())
  return server
}

/** Starts the servers of a cluster. Resolves once each announces all of them to its clients. */
export async function useCluster(size: number, config = ''): Promise<NatsServer[]> {
  const servers: NatsServer[] = []
  // Every two servers have a route that is configured: a route that they only discover is not retried.
  const getRoutes = (): string[] => servers.map(({ route }) => route)
  while (servers.length < size) servers.push(await useServer({ config, getRoutes }))
  await waitForCluster(servers)
  return servers
}

/** Resolves once each server announces all of them to its clients. Messages pass only between servers with a route to each other. */
export async function waitForCluster(servers: readonly NatsServer[]): Promise<void> {
  for (const { port } of servers) await expect.poll(() => countServers(port)).toBe(servers.length)
}

/** Returns the number of servers that a server lists in its first message to a client. */
async function countServers(port: number): Promise<number> {
  const socket = connect(port, '127.0.0.1').setEncoding('utf8')
  let text = ''
  for await (const chunk of socket) {
    text += String(chunk)
    if (text.includes('\r\n')) break
  }
  const info = JSON.parse(text.slice(text.indexOf('{'), text.indexOf('\r\n'))) as { connect_urls?: string[] }
  return info.connect_urls?.length ?? 0
}
