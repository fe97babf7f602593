// A bus with the http plugin whose core is in this thread, and a frontend that calls its commands by hand, as hostile code does.
import { type Bus, type Client, createBus, defineCore } from '@sallyport/core'
import { afterTests } from '../../../../scripts/testing.js'
import { http, type HttpOptions } from '../../src/http/http.js'

const open: Bus[] = []
afterTests.each.push(() => Promise.all(open.splice(0).map(bus => bus.close({ timeout: 0 }))))

/** The argument of `fetch`, whose members can have any type. */
export interface Config {
  method?: unknown
  url: unknown
  headers?: unknown
  data?: unknown
  [option: string]: unknown
}

export interface Head {
  status: number
  statusText: string
  headers: [string, string][]
  url: string
  rid: number
}

export interface Caller {
  readonly bus: Bus
  readonly client: Client
  /** Calls `fetch` and returns the number of the request. */
  fetch(config: Config): Promise<number>
  /** Calls `fetch` and `fetch_send`. */
  request(config: Config): Promise<Head>
  /** Calls `fetch_read_body` once. */
  read(rid: number): Promise<Uint8Array>
  /** Reads a body to its end. */
  readAll(rid: number): Promise<Buffer>
  /** Requests, and returns the body as text. */
  text(config: Config): Promise<string>
}

/** Starts a bus, and opens a client with these patterns. */
export async function connect(
  allow: readonly unknown[],
  {
    deny = [],
    label = 'main',
    codec = 'json',
    ...options
  }: HttpOptions & { deny?: readonly unknown[]; label?: string; codec?: 'json' | 'msgpack' } = {},
): Promise<Caller> {
  const bus = await createBus({
    core: defineCore({ plugins: [http(options)] }),
    ...{ log: false, codec },
    capabilities: [{ identifier: 'http', windows: ['*'], permissions: [{ identifier: 'http:default', allow, deny }] }],
  })
  open.push(bus)
  return join(bus, label)
}

/** Opens another client of the bus. */
export async function join(bus: Bus, label: string): Promise<Caller> {
  const client = await bus.connect(label)
  const fetch = ({ method = 'GET', headers = [], data = null, ...more }: Config): Promise<number> =>
    client.invoke('plugin:http|fetch', { clientConfig: { method, headers, data, ...more } })
  const request = async (config: Config): Promise<Head> =>
    client.invoke('plugin:http|fetch_send', { rid: await fetch(config) })
  const read = (rid: number): Promise<Uint8Array> => client.invoke('plugin:http|fetch_read_body', { rid })
  const readAll = async (rid: number): Promise<Buffer> => {
    const chunks: Uint8Array[] = []
    for (;;) {
      const bytes = await read(rid)
      if (bytes.at(-1) === 1) return Buffer.concat(chunks)
      chunks.push(bytes.subarray(0, -1))
    }
  }
  const text = async (config: Config): Promise<string> => (await readAll((await request(config)).rid)).toString()
  return { bus, client, fetch, request, read, readAll, text }
}

/** Returns the error of a call that is in flight, so that other calls can end it. */
export const getError = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => undefined,
    (error: unknown) => error,
  )

const unhandled: unknown[] = []
const note = (error: unknown): void => void unhandled.push(error)
afterTests.each.push(() => void (unhandled.length = 0))

/** Collects unhandled rejections and exceptions of this thread while `run` runs. */
export async function collectUnhandled(run: () => Promise<void>): Promise<unknown[]> {
  process.on('unhandledRejection', note).on('uncaughtException', note)
  try {
    await run()
    await new Promise(resolve => setImmediate(resolve))
  } finally {
    process.off('unhandledRejection', note).off('uncaughtException', note)
  }
  return [...unhandled]
}
