// The NATS server of a process of the benchmark: one for all of its arms, on loopback with a port of its own. It starts with the
// first arm that is opened, and ends with the last, or with this process, however that ends.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { Readable } from 'node:stream'

/** Debian has it where a user's PATH may not look. */
const FOLDERS = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
const executable = process.env['NATS_SERVER'] ?? FOLDERS.map(folder => join(folder, 'nats-server')).find(existsSync)

/** What a scenario over NATS lacks here, if anything. */
export const lacksServer = (): string | undefined =>
  executable !== undefined && existsSync(executable) ? undefined : 'there is no nats-server here'

export interface UsedServer {
  url: string
  release(): Promise<void>
}

interface Server {
  url: string
  end(): Promise<void>
}

/** How long it may take to listen, in milliseconds. */
const PATIENCE_MS = 30_000

let shared: Promise<Server> | undefined
let users = 0

export async function useNatsServer(): Promise<UsedServer> {
  users++
  const release = async (): Promise<void> => {
    if (--users > 0) return
    const ending = shared
    shared = undefined
    await (await ending)?.end()
  }
  try {
    const { url } = await (shared ??= startServer())
    return { url, release }
  } catch (error) {
    await release().catch(() => {})
    throw error
  }
}

async function startServer(): Promise<Server> {
  const lack = lacksServer()
  if (lack !== undefined) throw new Error(lack)
  // This process may be killed: then nothing of it runs, but the guard's input ends, and with it the server.
  const script = '"$0" -a 127.0.0.1 -p -1 & read -r _; kill -KILL $!; wait'
  const guard = spawn('/bin/sh', ['-c', script, executable!], { stdio: ['pipe', 'ignore', 'pipe'] })
  const gone = new Promise<void>(resolve => {
    guard.once('error', () => resolve())
    guard.once('close', () => resolve())
  })
  const end = async (): Promise<void> => {
    guard.stdin.end()
    await gone
  }
  const port = await portIn(guard.stderr)
  if (port !== undefined) return { url: `nats://127.0.0.1:${port}`, end }
  await end()
  throw new Error(`${executable} did not begin to listen`)
}

/** The port that its log names, once it takes connections. */
async function portIn(log: Readable): Promise<string | undefined> {
  let text = ''
  const late = setTimeout(() => log.destroy(), PATIENCE_MS)
  try {
    return await new Promise(resolve => {
      log.setEncoding('utf8').on('data', (more: string) => {
        text += more
        if (text.includes('Server is ready')) resolve(/client connections on \S*:(\d+)/.exec(text)?.[1])
      })
      log.once('close', () => resolve(undefined))
    })
  } finally {
    clearTimeout(late)
  }
}
