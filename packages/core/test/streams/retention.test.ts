// What waits for its reader keeps no more than itself, wherever it waits: one byte in a chunk of 64 KiB would keep all of it.
import { Duplex } from 'node:stream'
import { expect, test } from 'vitest'
import { MessageBytes } from '../../../../extensions/mcp/src/open/messages.js'
import { gather } from '../../../../extensions/plugin-host/src/install.js'
import { IncompleteMessages, ServerLink } from '../../../../extensions/web/src/web-socket-link.js'
import { rows } from '../../../../scripts/testing.js'
import { StreamLink } from '../../../protocol/src/link/stream-link.js'
import { StreamMultiplexer } from '../../../protocol/src/link/stream-multiplexer.js'
import { FRAME_KIND } from '../../../protocol/src/wire/messages.js'

const CHUNKS = 200
const CHUNK_BYTES = 2 ** 16

/** Returns bytes that have arrived with much else. */
function arrived(...bytes: number[]): Buffer {
  const view = Buffer.from(new ArrayBuffer(CHUNK_BYTES), CHUNK_BYTES / 2, bytes.length)
  view.set(bytes)
  return view
}
const each = <T>(create: () => T): T[] => Array.from({ length: CHUNKS }, create)
const createPipe = (): Duplex => new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() })
const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

test('what waits keeps no more than itself', () =>
  rows<() => Promise<Uint8Array[]>>({
    async 'a stream of a pipe'() {
      const [pipe, kept] = [createPipe(), [] as Buffer[]]
      const stream = new StreamMultiplexer(pipe, pipe, { closed() {} }).open(1)
      for (const record of each(() => arrived(1, 0, 0, 0, 0xf9, 1, 0, 0, 0, 7))) pipe.push(record)
      await turn()
      stream.on('data', chunk => kept.push(chunk))
      await turn()
      return kept
    },
    async 'a link over a stream'() {
      const [pipe, kept] = [createPipe(), [] as Uint8Array[]]
      const link = new StreamLink(pipe)
      link.receive({ frame: ({ body }) => void kept.push(body as Uint8Array), closed() {} })
      link.pause()
      for (const frame of each(() => arrived(1, 0, 0, 0, FRAME_KIND.sealed, 7))) pipe.push(frame)
      await turn()
      link.resume()
      return kept
    },
    async 'a link over a WebSocket'() {
      const kept: Uint8Array[] = []
      const socket = {
        bufferedAmount: 0,
        isFull: false,
        send() {},
        onDrained() {},
        close() {},
        pause() {},
        resume() {},
      }
      const incomplete = new IncompleteMessages(Infinity).open(
        () => false,
        () => {},
      )
      const link = new ServerLink(socket, Infinity, incomplete)
      link.receive({ frame: ({ body }) => void kept.push(body as Uint8Array), closed() {} })
      link.pause()
      for (const message of each(() => arrived(FRAME_KIND.msgpack, 7))) link.onBinary(message)
      link.resume()
      return kept
    },
    async 'a message of an MCP server'() {
      const message = new MessageBytes(2 ** 22)
      for (const part of each(() => arrived(7))) message.add(part)
      return [...message.read()].map(() => message.read())
    },
    async 'a tarball'() {
      const tarball = await gather(Duplex.from(each(() => arrived(7))))
      return [...tarball].map(() => tarball)
    },
  })(async wait => {
    const kept = await wait()
    expect(kept).toHaveLength(CHUNKS)
    const memory = [...new Set(kept.map(({ buffer }) => buffer))].reduce((sum, { byteLength }) => sum + byteLength, 0)
    expect(memory).toBeLessThanOrEqual(CHUNK_BYTES)
  }))
