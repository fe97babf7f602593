// @ts-check
// A web server on this machine to download from: `/<anything>` is a file of `size` bytes. It counts the bytes that it has
// written, and writes no faster than the other side reads.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { setTimeout as delay } from 'node:timers/promises'

const CHUNK = 64 * 1024

/**
 * @param {object} options
 * @param {number} options.size of each file, in bytes
 * @param {number} [options.pause] ms between two chunks
 * @param {number} [options.hangUpAt] the number of sent bytes after which it hangs up
 */
export async function startServer({ size, pause = 0, hangUpAt = Infinity }) {
  const counts = { sent: 0, closed: 0 }
  const server = createServer((_request, response) => {
    response.on('close', () => counts.closed++)
    response.writeHead(200, { 'content-length': size })
    pipeline(content(), response).catch(() => {}) // the other side can disconnect
  })
  async function* content() {
    for (let sent = 0; sent < size; sent += CHUNK) {
      if (sent >= hangUpAt) throw new Error('hung up')
      const chunk = Buffer.alloc(Math.min(CHUNK, size - sent))
      counts.sent += chunk.length
      yield chunk
      if (pause > 0) await delay(pause)
    }
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  return {
    origin: `http://127.0.0.1:${port}`,
    counts,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}
