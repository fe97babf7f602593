// Keys of the isolation pattern: one secret for each session, which its gate seals with and core opens with. This file is loaded
// in that pattern only, because it needs node:crypto.
import { randomBytes } from 'node:crypto'
import type { MessagePort } from 'node:worker_threads'
import { RECORD_DIRECTION, type SessionKey } from '@sallyport/protocol/internal/contract'
import type { Opener } from '@sallyport/protocol/internal/records'
import { createOpener, createSessionSecret } from '@sallyport/protocol/internal/records'

/**
 * Returns a function that creates a session's key, hands it to the gate, and returns the opener of the gate's records. Each session
 * has its own key, so that no gate can seal for another frontend. Each core has a new master secret.
 */
export function createSessionKeys(): (gate: MessagePort) => Opener {
  const master = randomBytes(32)
  return gate => {
    const session = new Uint8Array(randomBytes(16))
    const secret = createSessionSecret(master, session)
    const opener = createOpener({ session, secret, direction: RECORD_DIRECTION })
    const key: SessionKey = { session, secret }
    // The secret is transferred: here it remains only within the opener, which JavaScript cannot read.
    gate.postMessage(key, [secret.buffer])
    gate.close()
    return opener
  }
}
