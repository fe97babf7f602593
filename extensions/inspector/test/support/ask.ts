// Plain requests to an inspector, as any program on the machine can make them.
import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import type { Snapshot } from '../../src/contract/views.js'

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  text: string
}

export interface AskOptions {
  path?: string
  method?: string
  headers?: Record<string, string>
}

/** Sends a request with the token of `url`, unless the path has a query. */
export async function ask(url: string, { path, ...options }: AskOptions = {}): Promise<Answer> {
  const response = await begin(url, path ?? '', options)
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) text += chunk
  return { status: response.statusCode!, headers: response.headers, text }
}

/** @param path - after the slash; the token is added to a path without a query */
function begin(url: string, path: string, options: Omit<AskOptions, 'path'>): Promise<IncomingMessage> {
  const { hostname, port, search } = new URL(url)
  const full = path.includes('?') ? path : `${path}${search}`
  return new Promise((resolve, reject) => {
    request({ hostname, port, path: `/${full}`, agent: false, ...options }, resolve)
      .on('error', reject)
      .end()
  })
}

export interface ReceivedEvent {
  event: string
  data: unknown
}

export interface Listener {
  /** Resolves with the next snapshot that matches. */
  next(isMatch?: (snapshot: Snapshot) => boolean): Promise<Snapshot>
  readonly received: ReceivedEvent[]
  /** Resolves when the server has ended the feed. */
  readonly ended: Promise<void>
  end(): void
}

/** Without what no test has caused: on a busy machine core can be without time for a second, which counts as blocked. */
function withoutPauses({ recent, culprits, ...snapshot }: Snapshot): Snapshot {
  const troubles = recent?.troubles.filter(({ label, kind }) => label !== 'core' || kind !== 'blocked')
  const others = culprits.filter(({ label, text }) => label !== 'core' || !text.startsWith('was blocked'))
  return { ...snapshot, culprits: others, ...(recent && { recent: { ...recent, troubles: troubles! } }) }
}

/** Follows the feed as a page does. */
export async function listenTo(url: string, query = ''): Promise<Listener> {
  const response = await begin(url, `feed${new URL(url).search}${query}`, {})
  if (response.statusCode !== 200) throw new Error(`The feed answers ${response.statusCode}`)
  const received: ReceivedEvent[] = []
  let waiting: (() => void)[] = []
  let rest = ''
  response.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n\n')
    rest = parts.pop()!
    for (const part of parts) {
      const [, event, data] = /^event: (\w+)\ndata: (.*)$/.exec(part) ?? []
      if (!event) continue
      const value = JSON.parse(data!)
      received.push({ event, data: event === 'snapshot' ? withoutPauses(value) : value })
    }
    waiting.splice(0).forEach(wake => wake())
  })
  const ended = new Promise<void>(resolve => {
    response.on('close', () => {
      waiting.splice(0).forEach(wake => wake())
      resolve()
    })
  })
  let read = 0
  return {
    received,
    ended,
    end: () => void response.destroy(),
    async next(isMatch = () => true) {
      for (;;) {
        while (read < received.length) {
          const { event, data } = received[read++]!
          if (event === 'snapshot' && isMatch(data as Snapshot)) return data as Snapshot
        }
        if (response.destroyed) throw new Error('The feed has ended')
        await new Promise<void>(resolve => waiting.push(resolve))
      }
    },
  }
}
