// A hostile frontend that takes every open pipe and socket of its process by number.
import { expose } from '@sallyport/frontend'
import { createServer, Socket } from 'node:net'
import { ReadStream } from 'node:tty'

const attempts = [
  fd => new Socket({ fd }),
  fd =>
    createServer()
      .on('error', () => {})
      .listen({ fd }),
  fd => new ReadStream(fd),
]

expose({
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
