// One NATS link, and in place of its peer a test that seals and opens messages itself.
import { recorder, type Recorder } from '../../protocol/test/link-behaviour.js'
import { createNatsLink, type NatsLink, type NatsLinkOptions } from '../src/link/nats-link.js'
import { protectionOf } from './link-pair.js'

export interface BarePeer {
  link: NatsLink
  seen: Recorder
  /** What the link has published, opened. */
  published: Buffer[]
  /** Says something to the link, at once. */
  say: (...plain: (Uint8Array | number[])[]) => void
}

export function createBarePeer(options: Partial<NatsLinkOptions> = {}): BarePeer {
  const peer = protectionOf('frontend')
  const published: Buffer[] = []
  const wire = {
    maxPayload: 2 ** 20,
    publish: (message: Uint8Array): void => void published.push(Buffer.from(peer.open(message)!)),
  }
  const link = createNatsLink({ wire, protection: protectionOf('core'), heartbeat: 60_000, ...options })
  const seen = recorder()
  link.receive(seen)
  return {
    link,
    seen,
    published,
    say: (...plain) => plain.forEach(bytes => link.take(peer.seal(Uint8Array.from(bytes)))),
  }
}
