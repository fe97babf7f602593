// A pair of ring links within one thread.
import { MessageChannel } from 'node:worker_threads'
import type { Link } from '../../src/wire/link.js'
import { createRingBuffers } from '../../src/link/ring/ring-buffer.js'
import { createRingLink } from '../../src/link/ring/ring-link.js'

export function createRingPair(bytes?: number, poll = true): [Link, Link] {
  const [forward, backward] = createRingBuffers(bytes)
  const { port1, port2 } = new MessageChannel()
  return [
    createRingLink({ out: forward, in: backward, port: port1, awaitsReplies: true, poll }),
    createRingLink({ out: backward, in: forward, port: port2, poll }),
  ]
}
