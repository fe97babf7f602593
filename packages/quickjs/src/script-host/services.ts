// What the script host does for a VM, beside its link: it prints, wakes the VM up, sends its requests, and computes what needs tables, clocks or
// random bytes. All of it is text and bytes: whatever a script does to the inside, its messages are those of a foreign process.
import { randomFillSync, randomUUID } from 'node:crypto'
import type { ScriptNetwork } from '@sallyport/protocol/internal/contract'
import { BusError } from '@sallyport/protocol/internal/errors'
import { refuseOpen } from '@sallyport/protocol/internal/rpc'
import { hasBoundedHost, parseForeignUrl } from '@sallyport/protocol/internal/util'
import { MAX_IN_FLIGHT } from '@sallyport/protocol/internal/wire'
import { type CrossedError, describeError, MAX_LINE_LENGTH, URL_PARTS } from './crossing.js'
import { type Machine, TEXT_BYTES, VALUE_BYTES } from './machine.js'

type Result = string | Uint8Array | undefined
type Settle = (id: number, value: unknown, bytes?: Uint8Array, error?: CrossedError) => void

const MAX_RANDOM_BYTES = 65_536
const MAX_TIMER_MS = 2 ** 31 - 1
/** Requests of one script over the network that have no response. */
const MAX_REQUESTS = 256
/** Approximate bytes of a request in this thread, beside its text and its body. */
const REQUEST_BYTES = 4096

const encoder = new TextEncoder()
const toParts = (url: URL | undefined): string =>
  JSON.stringify(url ? Object.fromEntries([...URL_PARTS, 'origin' as const].map(name => [name, url[name]])) : null)

function orElse(otherwise: string, convert: () => string): string {
  try {
    return convert()
  } catch {
    return otherwise
  }
}

const conversions: Readonly<Record<string, (value: never, bytes: Uint8Array) => string | Uint8Array>> = {
  random: (size: number) => randomFillSync(new Uint8Array(Math.min(Number(size), MAX_RANDOM_BYTES))),
  uuid: () => randomUUID(),
  encoding: (label: string) => orElse('', () => new TextDecoder(label).encoding),
  decode: ([encoding, fatal, ignoreBOM]: [string, boolean, boolean], bytes) =>
    orElse('[null]', () => JSON.stringify([new TextDecoder(encoding, { fatal, ignoreBOM }).decode(bytes)])),
  query: (text: string) => JSON.stringify([...new URLSearchParams(String(text))]),
  'to-query': (pairs: [string, string][]) => JSON.stringify(String(new URLSearchParams(pairs))),
  url: ([url, base]: [string, string | null]) => toParts(parseForeignUrl(url, base ?? undefined)),
  'set-url': ([href, name, value]: [string, string, string]) => {
    if (name === 'href') return toParts(parseForeignUrl(value))
    const url = parseForeignUrl(href)
    const part = URL_PARTS.find(each => each === name)
    // Nothing ends a host there but what ends that of a `file:` URL.
    const isLong = name.startsWith('host') && !hasBoundedHost(`file://${value}`)
    if (url && part && !isLong) url[part] = value
    return toParts(url)
  },
}

export interface ServiceDeps {
  network: ScriptNetwork | undefined
  /** Limit of the script's memory, in bytes. Its requests have as many at most. */
  maxBytes: number
  machine: Pick<Machine, 'parse' | 'checkSize'>
  print(stream: 'stdout' | 'stderr', text: string): void
  wake(): void
  settle: Settle
}

/** A request, until its body has been read. */
interface Fetch {
  readonly controller: AbortController
  readonly bytes: number
  chunks?: AsyncIterator<Uint8Array> | undefined
  isReading: boolean
}

export class Services {
  readonly #deps: ServiceDeps
  readonly #fetches = new Map<number, Fetch>()
  #requests = 0
  #requestBytes = 0
  #endWait = (): void => {}
  #isOver = false

  constructor(deps: ServiceDeps) {
    this.#deps = deps
  }

  /** Handles a message of the script. @throws {BusError} InvalidRequest for one that the inside never sends, Overloaded, Crashed for one that takes too much memory */
  handle(operation: string, content: string, bytes: Uint8Array | undefined): Result {
    if (operation === 'encode') return encoder.encode(content)
    const { machine } = this.#deps
    const value = machine.parse(content)
    const list = Array.isArray(value) ? (value as unknown[]) : []
    switch (operation) {
      case 'print':
        this.#deps.print(list[0] === 'stderr' ? 'stderr' : 'stdout', `${String(list[1]).slice(0, MAX_LINE_LENGTH)}\n`)
        return undefined
      case 'wake':
        return this.#wake(Math.min(Math.max(Number(value) || 0, 0), MAX_TIMER_MS))
      case 'fetch':
        return this.#fetch(list[0], Object(list[1]), content.length, bytes)
      case 'read':
        return this.#read(list[0] as number)
      case 'abort-fetch':
        return this.#end(value as number)
      default:
        if (!Object.hasOwn(conversions, operation)) throw createForged()
        if (operation === 'decode' && bytes) machine.checkSize(bytes.length * TEXT_BYTES)
        if (operation === 'query') machine.checkSize(String(value).replaceAll(/[^&]+/g, '').length * VALUE_BYTES)
        return conversions[operation]!(value as never, bytes ?? new Uint8Array())
    }
  }

  /** Ends what the thread would keep for the script. */
  stop(): void {
    this.#isOver = true
    this.#endWait()
    for (const id of this.#fetches.keys()) this.#end(id)
  }

  /** One wait at a time: the VM asks again for its next timer. */
  #wake(ms: number): undefined {
    this.#endWait()
    if (this.#isOver) return undefined
    const wake = (): void => this.#deps.wake()
    if (ms === 0) {
      const immediate = setImmediate(wake)
      this.#endWait = () => clearImmediate(immediate)
    } else {
      const timer = setTimeout(wake, ms)
      this.#endWait = () => clearTimeout(timer)
    }
  }

  #fetch(id: unknown, request: Record<string, unknown>, length: number, body: Uint8Array | undefined): undefined {
    if (typeof id !== 'number') throw createForged()
    refuseOpen(this.#fetches, id, 'request')
    const { network, maxBytes } = this.#deps
    if (!network) throw new TypeError('The script has no network any more')
    if (this.#requests >= MAX_REQUESTS)
      throw tooMany('requests', MAX_REQUESTS, `${MAX_REQUESTS} requests have no response`)
    if (this.#fetches.size >= MAX_IN_FLIGHT)
      throw tooMany('requests', MAX_IN_FLIGHT, `the bodies of ${MAX_IN_FLIGHT} responses have not been read`)
    const bytes = length + (body?.byteLength ?? 0) + REQUEST_BYTES
    if (this.#requestBytes + bytes > maxBytes) {
      const max = maxBytes / 2 ** 20
      throw tooMany('memory', max, `those that have not ended exceed the memory of the script (${max} MiB)`)
    }
    const { url, method, redirect, headers } = request
    const target = parseForeignUrl(String(url))
    if (!target?.protocol.startsWith('http')) throw new TypeError('fetch: the URL must begin with http: or https:')
    const fetch: Fetch = { controller: new AbortController(), bytes, isReading: false }
    this.#fetches.set(id, fetch)
    this.#requestBytes += bytes
    this.#requests++
    const init = { method, redirect, headers, body, signal: fetch.controller.signal } as RequestInit
    void network
      .fetch(target.href, init)
      .finally(() => this.#requests--)
      .then(
        response => {
          const { status, statusText, url: finalUrl, redirected, body: content } = response
          fetch.chunks = content?.[Symbol.asyncIterator]()
          const head = { status, statusText, url: finalUrl, redirected, headers: [...response.headers] }
          if (!content) this.#end(id)
          this.#settle(id, { ...head, hasBody: content !== null })
        },
        (error: unknown) => {
          this.#end(id)
          this.#settle(id, null, undefined, describeError(error))
        },
      )
    return undefined
  }

  #read(id: number): undefined {
    const fetch = this.#fetches.get(id)
    if (!fetch?.chunks) {
      const text = 'The stream was open when the run was interrupted, and is closed'
      throw new BusError('Disconnected', text, { data: { delivered: 'unknown' } })
    }
    if (fetch.isReading) throw createForged()
    fetch.isReading = true
    void fetch.chunks.next().then(
      ({ done, value }) => {
        fetch.isReading = false
        if (done) this.#end(id)
        this.#settle(id, null, done ? undefined : value)
      },
      (error: unknown) => {
        this.#end(id)
        this.#settle(id, null, undefined, describeError(error))
      },
    )
    return undefined
  }

  #settle: Settle = (...answer) => {
    if (!this.#isOver) this.#deps.settle(...answer)
  }

  #end(id: number): undefined {
    const fetch = this.#fetches.get(id)
    if (!fetch) return undefined
    this.#fetches.delete(id)
    this.#requestBytes -= fetch.bytes
    fetch.controller.abort()
    return undefined
  }
}

/** The inside never sends such a message: it ends the script. */
export const createForged = (): BusError =>
  new BusError('InvalidRequest', 'The script was ended: it sent its host a forged message')

const tooMany = (limit: string, max: number, why: string): BusError =>
  new BusError('Overloaded', `Request not sent: ${why}`, { data: { limit, max } })
