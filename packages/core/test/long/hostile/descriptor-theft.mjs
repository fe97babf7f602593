// A hostile frontend that takes every open pipe, socket and file of its process by number.
import { expose } from '@sallyport/frontend'
import fs from 'node:fs'
import http2 from 'node:http2'
import { createServer, Socket } from 'node:net'
import { duplexPair } from 'node:stream'
import { text } from 'node:stream/consumers'
import { ReadStream } from 'node:tty'

const attempts = [
  fd => new Socket({ fd }),
  fd =>
    createServer()
      .on('error', () => {})
      .listen({ fd }),
  fd => new ReadStream(fd),
]

/** Returns what an HTTP/2 server in memory responds, or the code of its error. */
async function request(respond) {
  const [near, far] = duplexPair()
  const server = http2.createServer()
  const client = http2.connect('http://localhost', { createConnection: () => near })
  try {
    return await new Promise((resolve, reject) => {
      server.on('stream', stream => {
        stream.on('error', reject)
        try {
          respond(stream)
        } catch (error) {
          reject(error)
        }
      })
      server.emit('connection', far)
      text(client.on('error', reject).request()).then(resolve, reject)
    })
  } catch ({ code }) {
    return code
  } finally {
    client.destroy()
  }
}

const ownFile = new URL(import.meta.url)

expose({
  /** Returns what can be read of a foreign file by its descriptor. */
  async read({ fd }) {
    const handle = await fs.promises.open(ownFile)
    Object.defineProperty(handle, 'fd', { value: fd })
    return Promise.all([
      request(stream => stream.respondWithFD(fd)),
      request(stream => stream.respondWithFD(fd, {}, { statCheck() {} })),
      request(stream => stream.respondWithFD(handle)),
    ])
  },

  /** Returns what can be read of an own file, and the code of an error once it is closed. */
  async readOwn() {
    const fd = fs.openSync(ownFile)
    const responses = [
      await request(stream => stream.respondWithFD(fd)),
      await request(stream => stream.respondWithFile(ownFile.pathname)),
    ]
    fs.closeSync(fd)
    try {
      fs.fstatSync(fd)
    } catch ({ code }) {
      return { responses, code }
    }
  },

  /** Returns the codes of all errors, and each descriptor that could be taken. */
  steal() {
    const outcomes = new Set()
    for (let fd = 3; fd < 200; fd++) {
      for (const attempt of attempts) {
        try {
          // A server reports a wrong kind of descriptor later.
          if (attempt(fd)._handle) outcomes.add(fd)
        } catch ({ code }) {
          outcomes.add(code)
        }
      }
    }
    return [...outcomes]
  },
})
