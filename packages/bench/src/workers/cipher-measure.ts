// Encrypts and decrypts bytes, as node:crypto is used for a record: a key, a fresh nonce each, a tag of 16 bytes.
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { loopsOf } from './loops.js'
import { serveParent } from './serve-parent.js'
import { callsOnly } from './subject.js'

const ALGORITHM = 'aes-256-gcm'
const key = randomBytes(32)
const nonce = Buffer.alloc(12)
let records = 0

function thereAndBack(bytes: Uint8Array): Uint8Array {
  nonce.writeUInt32BE(++records)
  const sealing = createCipheriv(ALGORITHM, key, nonce)
  const sealed = sealing.update(bytes)
  sealing.final()
  const opening = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: 16 })
  opening.setAuthTag(sealing.getAuthTag())
  const opened = opening.update(sealed)
  opening.final()
  return opened
}

serveParent(loopsOf(callsOnly(async (_, bytes) => thereAndBack(bytes as Uint8Array))))
