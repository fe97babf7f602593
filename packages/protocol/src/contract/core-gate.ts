// Between core and a gate.

/** Core → gate, over the key port: the key of one session's records. */
export type SessionKey = { session: Uint8Array; secret: Uint8Array }

/** Sender and receiver of records, in the info of the key derivation. Both ends of a session must use the same text. */
export const RECORD_DIRECTION = 'gate to core'
