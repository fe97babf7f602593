// Requests and WebSockets with headers that no browser would send, and a bus to send them to.
import { once } from 'node:events'
import { type IncomingHttpHeaders, request } from 'node:http'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Bus, createBus, defineCore } from '@sallyport/core'
import { type PageOptions, serveFrontends, type WebOptions, type WebServer } from '@sallyport/web'
import { WebSocket } from 'ws'

const core = defineCore({
  commands: {
    echo: ({ text }: { text: string }) => text,
  },
})

export interface Served {
  readonly bus: Bus
  readonly web: WebServer
  readonly port: number
  readonly token: string
  /** The cookie that opens the page. */
  readonly cookie: string
  /** Directory of the page's files. */
  readonly dir: string
  close(): Promise<void>
}

/** Serves a directory with a page, hidden files, and symbolic links that lead outside. */
export async function serve({ page, ...options }: Partial<WebOptions> & { page?: PageOptions } = {}): Promise<Served> {
  const root = mkdtempSync(join(tmpdir(), 'sallyport-web-'))
  const dir = join(root, 'dist')
  mkdirSync(join(dir, 'sub'), { recursive: true })
  mkdirSync(join(dir, '.git'))
  writeFileSync(join(root, 'secret.txt'), 'secret')
  writeFileSync(join(dir, '.env'), 'secret')
  writeFileSync(join(dir, '.git/config'), 'secret')
  writeFileSync(join(dir, 'index.html'), '<!doctype html><html><head><title>Page</title></head></html>')
  writeFileSync(join(dir, 'sub/a b.txt'), 'text')
  symlinkSync(join(root, 'secret.txt'), join(dir, 'link.txt'))
  symlinkSync(root, join(dir, 'up'))
  symlinkSync(join(dir, '.env'), join(dir, 'env.txt'))
  const bus = await createBus({ core, log: false })
  const web = await serveFrontends(bus, { frontends: { main: { dir, allow: ['echo'], ...page } }, ...options })
  const url = new URL(web.url)
  const token = url.searchParams.get('token') ?? ''
  const cookie = `sallyport-${url.port}-main=${token}`
  const close = async (): Promise<void> => {
    await web.close()
    await bus.close()
    rmSync(root, { recursive: true })
  }
  return { bus, web, port: Number(url.port), token, cookie, dir, close }
}

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  text: string
}

/** Sends a request. The path goes out as it is. */
export async function get(
  port: number,
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<Answer> {
  const sent = request({ host: '127.0.0.1', port, path, headers, method }).end()
  const [response] = (await once(sent, 'response')) as [import('node:http').IncomingMessage]
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) text += chunk
  return { status: response.statusCode!, headers: response.headers, text }
}

export interface RawPage {
  readonly socket: WebSocket
  /** The first message. */
  readonly greeting: Record<string, unknown>
  /** Resolves with the close code. */
  readonly closed: Promise<number>
  /** Sends a text message, and returns the next one that is not a heartbeat. */
  ask(message: string | Uint8Array): Promise<string>
}

/** Returns the status with which a WebSocket is refused, 101 once it is greeted, or the code with which it is closed instead. */
export async function tryConnect(
  port: number,
  headers: Record<string, string>,
  path = '/sallyport',
  tab: string | string[] = 'test',
): Promise<number> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, tab, { headers })
  socket.on('error', () => {})
  const status = await Promise.race([
    once(socket, 'message').then(() => 101),
    once(socket, 'close').then(([code]) => code as number),
    once(socket, 'unexpected-response').then(([, response]) => (response as { statusCode: number }).statusCode),
  ])
  socket.terminate()
  return status
}

let tabs = 0

/** Connects as a page would. */
export async function connect({ port, cookie }: Pick<Served, 'port' | 'cookie'>, tab = `t${tabs++}`): Promise<RawPage> {
  const headers = { cookie, origin: `http://127.0.0.1:${port}` }
  const socket = new WebSocket(`ws://127.0.0.1:${port}/sallyport`, tab, { headers })
  const closed = once(socket, 'close').then(([code]) => code as number)
  socket.on('error', () => {})
  // A heartbeat and an answer can arrive in one tick.
  socket.on('message', (data: Buffer) => data.length > 0 && socket.emit('answer', data))
  const next = async (): Promise<string> => String((await once(socket, 'answer'))[0])
  const greeting = JSON.parse(await next()) as Record<string, unknown>
  const ask = (message: string | Uint8Array): Promise<string> => {
    socket.send(message)
    return next()
  }
  return { socket, greeting, closed, ask }
}

export const call = (id: number, text: string): string =>
  JSON.stringify({ jsonrpc: '2.0', id, method: 'echo', params: { text } })
