// Finds the instances of a bus by NATS's service discovery (ADR-32). Anybody can answer: only a handshake proves an instance.
import { randomBytes } from 'node:crypto'
import type { Msg } from '@nats-io/transport-node'
import { every } from '@sallyport/protocol/internal/contract'
import type { ProcessConnection } from '../connection/process-connection.js'
import { discoverySubject, isName } from '../connection/subjects.js'
import type { ReplyInbox } from './session-dialer.js'
import { MAX_DISCOVERY_BYTES, MAX_DISCOVERED } from '@sallyport/protocol/internal/wire'

export interface DiscoveryDeps {
  connection: Pick<ProcessConnection, 'publish' | 'isConnected'>
  inbox: Pick<ReplyInbox, 'open' | 'close'>
  bus: string
  intervalMs: number
}

export class Discovery {
  readonly #deps: DiscoveryDeps
  readonly #listeners = new Set<(instance: string) => void>()
  #endQueries: (() => void) | undefined
  #queryId: string | undefined

  constructor(deps: DiscoveryDeps) {
    this.#deps = deps
  }

  /** Calls the listener for each instance that answers a query. Returns an unsubscribe function. */
  watch(listener: (instance: string) => void): () => void {
    this.#listeners.add(listener)
    this.#endQueries ??= every(this.#deps.intervalMs, () => this.query())
    this.query()
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size > 0) return
      this.#endQueries?.()
      this.#endQueries = undefined
      if (this.#queryId !== undefined) this.#deps.inbox.close(this.#queryId)
    }
  }

  /** Sends a query now, unless nobody listens, in addition to the regular ones. */
  query(): void {
    const { connection, inbox, bus } = this.#deps
    if (this.#listeners.size === 0 || !connection.isConnected) return
    if (this.#queryId !== undefined) inbox.close(this.#queryId)
    this.#queryId = randomBytes(16).toString('hex')
    let answers = 0
    const reply = inbox.open(this.#queryId, message => {
      const instance = ++answers <= MAX_DISCOVERED ? readAnswer(message) : undefined
      if (instance !== undefined) for (const watcher of this.#listeners) watcher(instance)
    })
    connection.publish(discoverySubject(bus), new Uint8Array(), reply)
  }
}

function readAnswer({ data }: Pick<Msg, 'data'>): string | undefined {
  if (data.byteLength > MAX_DISCOVERY_BYTES) return undefined
  try {
    const { id }: { id?: unknown } = Object(JSON.parse(Buffer.from(data).toString()))
    return isName(id) ? id : undefined
  } catch {
    return undefined
  }
}
