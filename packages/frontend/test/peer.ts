// The other end of a client's link. It records received messages, and sends the messages of a test.
import { BatchReader, codecs, type CodecName, type EncodedMessage } from '@sallyport/protocol/internal/codec'
import { LocalLink } from '@sallyport/protocol/internal/link'
import type { Message } from '@sallyport/protocol/internal/message'
import { FRAME_KIND, type FrameKind, type Link, type ReceivedFrame } from '@sallyport/protocol/internal/wire'
import { setTimeout as delay } from 'node:timers/promises'
import { Client } from '../src/client/client.js'

/** True if the tests run with the files for browsers, as in a page, whose codec is JSON. */
export const IN_BROWSER: boolean = process.env['SALLYPORT_TEST_PLATFORM'] === 'browser'

export interface Received {
  jsonrpc: '2.0'
  id?: number
  method: string
  params?: any
  headers?: any
  channels?: any
}

export class Peer {
  /** All received messages, in order. */
  readonly received: Received[] = []
  /** The kind of each received frame. */
  readonly kinds: number[] = []
  closed = false
  readonly #link: Link
  readonly #reader = new BatchReader()

  constructor(link: Link) {
    this.#link = link
    link.receive({ frame: frame => this.#take(frame), closed: () => (this.closed = true) })
  }

  get last(): Received {
    return this.received.at(-1)!
  }

  get methods(): string[] {
    return this.received.map(({ method }) => method)
  }

  #take({ kind, body }: ReceivedFrame): void {
    this.kinds.push(kind)
    this.received.push(...(this.#reader.read(kind, body) as readonly Received[]))
  }

  /** Sends all messages in one frame. */
  send(...messages: unknown[]): void {
    this.sendAs('json', ...messages)
  }

  sendAs(name: CodecName, ...messages: unknown[]): void {
    const codec = codecs[name]
    this.#link.send({
      kind: codec.kind,
      body: codec.join(messages.map(message => codec.encode(message as Message) as EncodedMessage)),
    })
  }

  sendRaw(kind: FrameKind, body: string | Uint8Array): void {
    this.#link.send({ kind, body })
  }

  close(): void {
    this.#link.close()
  }
}

export const result = (id: number | undefined, value: unknown): unknown => ({ jsonrpc: '2.0', id, result: value })

export const failure = (id: number | null | undefined, code: number, message: string, data?: unknown): unknown => ({
  jsonrpc: '2.0',
  id,
  error: data === undefined ? { code, message } : { code, message, data },
})

export const notify = (method: string, params: unknown): unknown => ({ jsonrpc: '2.0', method, params })

export function setUp(codec: CodecName = 'json'): { client: Client; peer: Peer } {
  const [near, far] = LocalLink.createPair()
  return { peer: new Peer(far), client: new Client(near, { label: 'main', codec }) }
}

/** Resolves once the messages of this tick have arrived. */
export const crossed = (): Promise<void> => delay(1)

export const JSON_KIND: number = FRAME_KIND.json
export const JSON_BYTES_KIND: number = FRAME_KIND.jsonBytes
export const MSGPACK_KIND: number = FRAME_KIND.msgpack
