// Two NATS links joined by a wire in memory that is asynchronous, as a broker is: each message comes in a later turn, in order,
// unless a test has it otherwise.
import { createProtection, type Protection } from '../src/link/encryption.js'
import { createNatsLink, type NatsLink, type NatsLinkOptions } from '../src/link/nats-link.js'

export const SECRET: Uint8Array = Uint8Array.from({ length: 32 }, (_, i) => i)
export const SESSION: Uint8Array = Uint8Array.from({ length: 16 }, (_, i) => 0xa0 + i)

export interface PairOptions {
  cipher?: boolean
  maxPayload?: number
  heartbeat?: number
  near?: Partial<NatsLinkOptions>
  far?: Partial<NatsLinkOptions>
  /** Stands between both: what it does with a message, given the way to its receiver. */
  broker?: (to: 'near' | 'far', message: Uint8Array, pass: (message: Uint8Array) => void) => void
}

export interface LinkPair {
  /** Of the frontend, and of core. */
  links: [NatsLink, NatsLink]
  /** Messages that were published to each. */
  published: { near: Uint8Array[]; far: Uint8Array[] }
}

export const protectionOf = (side: 'core' | 'frontend', cipher = false): Protection =>
  createProtection({ secret: SECRET, session: SESSION, side, cipher })

export function createLinkPair(options: PairOptions = {}): LinkPair {
  const {
    cipher = false,
    maxPayload = 2 ** 20,
    heartbeat = 60_000,
    broker = (_to, message, pass) => pass(message),
  } = options
  const published: LinkPair['published'] = { near: [], far: [] }
  const wireTo = (to: 'near' | 'far', receiver: () => NatsLink) => ({
    maxPayload,
    publish(message: Uint8Array) {
      published[to].push(message)
      if (message.byteLength > maxPayload) throw new Error('max_payload')
      const copy = Uint8Array.from(message)
      setImmediate(() => broker(to, copy, passed => receiver().take(passed)))
    },
  })
  const near: NatsLink = createNatsLink({
    wire: wireTo('far', () => far),
    protection: protectionOf('frontend', cipher),
    heartbeat,
    ...options.near,
  })
  const far: NatsLink = createNatsLink({
    wire: wireTo('near', () => near),
    protection: protectionOf('core', cipher),
    heartbeat,
    ...options.far,
  })
  return { links: [near, far], published }
}
