// Pairs of connected sockets for the tests of links.
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { settle } from './link-behaviour.js'

/**
 * Keeps five pairs ready, because the shared tests take theirs synchronously, and those of tables one for each row.
 *
 * @param connectTo - creates the near side
 * @returns a function that takes a pair, whose sockets are destroyed after the test
 */
export function usePairs<Near>(connectTo: (path: string) => Near): () => [Near, Socket] {
  const directory = mkdtempSync(join(tmpdir(), 'sallyport-pairs-'))
  const place = process.platform === 'win32' ? `\\\\.\\pipe\\${directory.replaceAll(/\W/g, '-')}` : join(directory, 's')
  let server: Server
  const pairs: [Near, Socket][] = []
  const used: [Near, Socket][] = []
  const destroy = (some: [Near, Socket][]): void => {
    for (const side of some.splice(0).flat()) if (side instanceof Socket) side.destroy()
  }
  const fill = async (): Promise<void> => {
    while (pairs.length < 5) {
      const near = connectTo(place)
      const [far] = (await once(server, 'connection')) as [Socket]
      pairs.push([near, far])
    }
  }
  beforeAll(async () => {
    server = createServer().listen(place)
    await once(server, 'listening')
    await fill()
  })
  afterEach(() => {
    destroy(used)
    return fill()
  })
  afterAll(() => {
    destroy(pairs)
    server.close()
    rmSync(directory, { recursive: true })
  })
  return () => {
    const pair = pairs.pop()!
    used.push(pair)
    return pair
  }
}

/** Sockets within one thread need ticks rather than time. */
export async function settled(): Promise<void> {
  await settle()
  for (let tick = 0; tick < 200; tick++) await nextTurn()
}
