// The keys of the isolation pattern: a secret for each session, which its gate seals with and core opens with. Loaded in
// that pattern alone, because it takes node:crypto.
import { randomBytes } from 'node:crypto'
import type { MessagePort } from 'node:worker_threads'
import { type Opener, RECORD_DIRECTION, type SessionKey } from '@sallyport/protocol'
import { createPlainOpener } from '@sallyport/protocol/internal'
import { createOpener, createSessionSecret } from '@sallyport/protocol/records'

export interface Keys {
  /** Makes a session's key and gives it to the gate; what is returned opens the gate's records, in clear without `cipher`. */
  handTo(gate: MessagePort, cipher: boolean): Opener
}

/** Every session has a key of its own, so that no gate can seal for another frontend; every run has a new master. */
export function createKeys(maxRecordAge: number | undefined): Keys {
  const master = randomBytes(32)
  return {
    handTo(gate, cipher) {
      const session = new Uint8Array(randomBytes(16))
      const secret = createSessionSecret(master, session)
      const opener = cipher
        ? createOpener({ session, secret, direction: RECORD_DIRECTION, maxRecordAge })
        : createPlainOpener()
      const key: SessionKey = { session, secret }
      // Given away: what is left of the secret here is in the opener, out of JavaScript's sight.
      gate.postMessage(key, [secret.buffer])
      gate.close()
      return opener
    },
  }
}
