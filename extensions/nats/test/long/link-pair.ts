// Two NATS links with an in-memory wire between them. The wire is asynchronous, as a broker is: it delivers each message in a later
// tick, in order, unless a test changes that.
import { setImmediate as nextTick } from 'node:timers/promises'
import { allocateMessage, createProtection, PLAIN_AT, type Protection } from '../../src/link/messages.js'
import { NatsLink, type NatsLinkOptions } from '../../src/link/nats-link.js'

export const SECRET: Uint8Array = Uint8Array.from({ length: 32 }, (_, i) => i)
export const SESSION: Uint8Array = Uint8Array.from({ length: 16 }, (_, i) => 0xa0 + i)

export interface PairOptions {
  maxPayload?: number
  heartbeat?: number
  near?: Partial<NatsLinkOptions>
  far?: Partial<NatsLinkOptions>
  /** Handles each message: `pass` delivers one to its receiver. */
  broker?: (to: 'near' | 'far', message: Uint8Array, pass: (message: Uint8Array) => void) => void
}

export interface LinkPair {
  /** The end of the frontend, and the end of core. */
  links: [NatsLink, NatsLink]
  /** Messages that were published to each end. */
  published: { near: Uint8Array[]; far: Uint8Array[] }
}

/** Resolves once the wire has delivered everything that was sent, and the answers. */
export async function settle(): Promise<void> {
  for (let tick = 0; tick < 20; tick++) await nextTick()
}

export const createSide = (side: 'core' | 'frontend'): Protection =>
  createProtection({ secret: SECRET, session: SESSION, side })

/** Seals a copy of the plaintext. */
export function seal(protection: Protection, plain: Uint8Array): Buffer {
  const message = allocateMessage(plain.byteLength)
  message.set(plain, PLAIN_AT)
  return protection.seal(message)
}

export function createLinkPair(options: PairOptions = {}): LinkPair {
  const { maxPayload = 2 ** 20, heartbeat = 60_000, broker = (_to, message, pass) => pass(message) } = options
  const published: LinkPair['published'] = { near: [], far: [] }
  const wireTo = (to: 'near' | 'far', receiver: () => NatsLink) => ({
    maxPayload,
    publish(message: Uint8Array) {
      published[to].push(message)
      if (message.byteLength > maxPayload) throw new Error('max_payload')
      const copy = Uint8Array.from(message)
      setImmediate(() => broker(to, copy, passed => receiver().handleMessage(passed)))
    },
  })
  const near: NatsLink = new NatsLink({
    wire: wireTo('far', () => far),
    protection: createSide('frontend'),
    heartbeat,
    ...options.near,
  })
  const far: NatsLink = new NatsLink({
    wire: wireTo('near', () => near),
    protection: createSide('core'),
    heartbeat,
    ...options.far,
  })
  return { links: [near, far], published }
}
