// One NATS link, whose peer is the test: it seals and opens messages itself.
import { recorder, type Recorder } from '../../../../packages/protocol/test/link-behaviour.js'
import { NatsLink, type NatsLinkOptions } from '../../src/link/nats-link.js'
import { createSide, seal } from './link-pair.js'

export interface BarePeer {
  link: NatsLink
  seen: Recorder
  /** Plaintexts that the link has published. */
  published: Buffer[]
  /** Sends plaintexts to the link, synchronously. */
  say: (...plain: (Uint8Array | number[])[]) => void
}

export function createBarePeer(options: Partial<NatsLinkOptions> = {}): BarePeer {
  const peer = createSide('frontend')
  const published: Buffer[] = []
  const wire = {
    maxPayload: 2 ** 20,
    publish: (message: Uint8Array): void => void published.push(Buffer.from(peer.open(message)!)),
  }
  const link = new NatsLink({ wire, protection: createSide('core'), heartbeat: 60_000, ...options })
  const seen = recorder()
  link.receive(seen)
  return {
    link,
    seen,
    published,
    say: (...plain) => plain.forEach(bytes => link.handleMessage(seal(peer, Uint8Array.from(bytes)))),
  }
}
