// Plain requests to an inspector, as any program on the machine could make them.
import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import type { Snapshot } from '../../src/host/inspector/snapshot.js'

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  text: string
}

export interface Asked {
  path?: string
  method?: string
  headers?: Record<string, string>
}

/** Asks with the token of `url`, but for a path that says otherwise. */
export async function ask(url: string, { path, ...options }: Asked = {}): Promise<Answer> {
  const response = await begin(url, path ?? '', options)
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) text += chunk
  return { status: response.statusCode!, headers: response.headers, text }
}

/** @param path after the slash; without a query it has the token */
function begin(url: string, path: string, options: Omit<Asked, 'path'>): Promise<IncomingMessage> {
  const { hostname, port, search } = new URL(url)
  const full = path.includes('?') ? path : `${path}${search}`
  return new Promise((resolve, reject) => {
    request({ hostname, port, path: `/${full}`, agent: false, ...options }, resolve)
      .on('error', reject)
      .end()
  })
}

export interface Told {
  event: string
  data: unknown
}

export interface Listener {
  /** The next that this is true of. */
  next(wanted?: (snapshot: Snapshot) => boolean): Promise<Snapshot>
  /** All that came. */
  readonly told: Told[]
  /** Resolves when the server has ended it. */
  readonly ended: Promise<void>
  end(): void
}

/** One page's feed. */
export async function listenTo(url: string, query = ''): Promise<Listener> {
  const response = await begin(url, `feed${new URL(url).search}${query}`, {})
  if (response.statusCode !== 200) throw new Error(`The feed answers ${response.statusCode}`)
  const told: Told[] = []
  let waiting: (() => void)[] = []
  let rest = ''
  response.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n\n')
    rest = parts.pop()!
    for (const part of parts) {
      const [, event, data] = /^event: (\w+)\ndata: (.*)$/.exec(part) ?? []
      if (event) told.push({ event, data: JSON.parse(data!) })
    }
    waiting.splice(0).forEach(wake => wake())
  })
  const ended = new Promise<void>(resolve => {
    response.on('close', () => {
      waiting.splice(0).forEach(wake => wake())
      resolve()
    })
  })
  let seen = 0
  return {
    told,
    ended,
    end: () => void response.destroy(),
    async next(wanted = () => true) {
      for (;;) {
        while (seen < told.length) {
          const { event, data } = told[seen++]!
          if (event === 'snapshot' && wanted(data as Snapshot)) return data as Snapshot
        }
        if (response.destroyed) throw new Error('The feed has ended')
        await new Promise<void>(resolve => waiting.push(resolve))
      }
    },
  }
}
