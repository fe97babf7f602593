// Two ring links of one thread, with what their peer holds laid open for tests.
import { MessageChannel } from 'node:worker_threads'
import type { Link } from '../../src/wire/link.js'
import { createRingBuffers } from '../../src/link/ring/ring-buffer.js'
import { createRingLink } from '../../src/link/ring/ring-link.js'

export function createRingPair(bytes?: number, poll = true): [Link, Link] {
  const [there, back] = createRingBuffers(bytes)
  const { port1, port2 } = new MessageChannel()
  return [
    createRingLink({ out: there, in: back, port: port1, awaitsReplies: true, poll }),
    createRingLink({ out: back, in: there, port: port2, poll }),
  ]
}
