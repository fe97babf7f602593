// `@sallyport/web/client` in Node.js: the client of a program that connects by URL. Exports what client.ts does, for pages.
import type { Client } from '@sallyport/frontend'
import { BusError, checkOptions } from '@sallyport/protocol/internal/errors'
import { parseForeignUrl } from '@sallyport/protocol/internal/util'
import { MAX_FRAME_BYTES } from '@sallyport/protocol/internal/wire'
import { randomUUID } from 'node:crypto'
import { WebSocket } from 'ws'
import type { connect as connectPage, ConnectOptions } from './client.js'
import { BASE_PATH } from './contract/greeting.js'
import { PageSession } from './page-session.js'

export { BusError, CommandError, isBusError, isCommandError } from '@sallyport/protocol/internal/errors'
export { Channel, createClient } from '@sallyport/frontend/internal'
export type { ConnectOptions } from './client.js'

/** Time for the server to answer the end of a WebSocket: until then the process stays alive. */
const CLOSE_TIMEOUT_MS = 2000

interface Target {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
}

/** Each call is a client of its own: unlike the scripts of a page, the parts of a program do not have to share one. */
async function connectProgram(options: ConnectOptions = {}): Promise<Client> {
  const { url, headers } = checkOptions('connect', options, { url: undefined, headers: undefined })
  const target = parseTarget(url, headers)
  const tab = randomUUID()
  let failure: Error | undefined
  const createSocket = (): WebSocket => {
    const socket = new WebSocket(target.url, tab, {
      ...{ headers: target.headers, perMessageDeflate: false, maxPayload: MAX_FRAME_BYTES + 1 },
      ...{ closeTimeout: CLOSE_TIMEOUT_MS },
    })
    // Its `close` follows.
    return socket.on('error', error => (failure = error))
  }
  const session = new PageSession({ url: target.url, createSocket })
  try {
    return await session.connected
  } catch (error) {
    throw explain(error as BusError, failure)
  }
}

export const connect: typeof connectPage = connectProgram as typeof connectPage

/** Returns the WebSocket of a URL, whose token becomes a header: proxies log URLs. @throws {BusError} InvalidParams */
function parseTarget(url: unknown, headers: ConnectOptions['headers']): Target {
  if (url === undefined) throw invalid('needs a `url` in Node.js: that of serveFrontends, for example')
  const target = parseForeignUrl(String(url))
  if (!target || !/^(?:http|ws)s?:$/.test(target.protocol)) {
    throw invalid('`url` must be an absolute URL of http:, https:, ws: or wss:')
  }
  const token = target.searchParams.get('token')
  target.searchParams.delete('token')
  target.hash = ''
  if (target.pathname === '/') target.pathname = BASE_PATH
  target.protocol = target.protocol.replace('http', 'ws')
  const origin = target.origin.replace('ws', 'http')
  return { url: target, headers: { origin, ...(token && { authorization: `Bearer ${token}` }), ...toObject(headers) } }
}

function toObject(headers: ConnectOptions['headers']): Record<string, string> {
  try {
    return Object.fromEntries(new Headers(headers ?? {}))
  } catch {
    // Its error repeats the value, which can be a token.
    throw invalid('`headers` must be valid HTTP headers')
  }
}

const invalid = (problem: string): BusError => new BusError('InvalidParams', `connect: ${problem}`)

function explain({ reason, message, data }: BusError, failure: Error | undefined): BusError {
  if (!failure) return new BusError(reason, message, { data })
  const isDenied = /^Unexpected server response: 40[13]$/.test(failure.message)
  // An error of several addresses has no message.
  const text = failure.message || (failure as NodeJS.ErrnoException).code
  // Another login does not help against 403: the server does not take this origin.
  const details = failure.message.endsWith('401') ? { ...Object(data), code: 'LOGIN_REFUSED' } : data
  return new BusError(isDenied ? 'Denied' : reason, `${message}: ${text}`, { data: details, cause: failure })
}
