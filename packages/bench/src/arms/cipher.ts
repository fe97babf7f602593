// Sealing and opening alone, in one thread: Sallyport's records, beside node:crypto with the same algorithm.
import { createOpener, createSealer } from '@sallyport/protocol/internal/records'
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { startCpuClock } from '../loops/calls.js'
import type { Arm, Arms, Measurement, OpenArm } from '../model/scenario.js'

/** Seals and opens messages, each once and in order. */
interface Cipher<Sealed = unknown> {
  seal(message: Uint8Array): Sealed
  open(sealed: Sealed): Uint8Array
}

const ALGORITHM = 'aes-256-gcm'
const [KEY_BYTES, NONCE_BYTES, TAG_BYTES, SESSION_BYTES] = [32, 12, 16, 16]

function createRecords(): Cipher<Uint8Array> {
  const options = { secret: randomBytes(KEY_BYTES), session: randomBytes(SESSION_BYTES), direction: 'bench' }
  const [sealer, opener] = [createSealer(options), createOpener(options)]
  return { seal: message => sealer.seal(0, message, 1), open: record => opener.open(record).body }
}

function createNodeCipher(): Cipher<Record<'nonce' | 'text' | 'tag', Buffer>> {
  const [key, nonce] = [randomBytes(KEY_BYTES), Buffer.alloc(NONCE_BYTES)]
  let count = 0
  return {
    seal(message) {
      nonce.writeUInt32BE(++count)
      const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES })
      const text = cipher.update(message)
      cipher.final()
      return { nonce: Buffer.from(nonce), text, tag: cipher.getAuthTag() }
    },
    open({ nonce: used, text, tag }) {
      const decipher = createDecipheriv(ALGORITHM, key, used, { authTagLength: TAG_BYTES })
      decipher.setAuthTag(tag)
      const message = decipher.update(text)
      decipher.final()
      return message
    },
  }
}

/** Sealed messages that wait to be opened. */
const BATCH_BYTES = 4 * 2 ** 20
const MOST_IN_BATCH = 256

/** Returns the CPU time of sealing and of opening one message, in µs. @throws Error if another message comes back */
function measureCipher({ seal, open }: Cipher, message: Uint8Array, ms: number): Measurement {
  const size = Math.max(1, Math.min(MOST_IN_BATCH, Math.floor(BATCH_BYTES / message.byteLength)))
  const total = { seal: 0, open: 0 }
  let count = 0
  const end = performance.now() + ms
  do {
    const readSealing = startCpuClock()
    const sealed = Array.from({ length: size }, () => seal(message))
    total.seal += readSealing()
    const readOpening = startCpuClock()
    const opened = sealed.map(open)
    total.open += readOpening()
    count += size
    if (!Buffer.from(message).equals(opened.at(-1)!)) throw new Error('Opening returned another message')
  } while (performance.now() < end)
  return { seal: total.seal / count, open: total.open / count }
}

const cipherArm = (id: string, title: string, create: () => Cipher): Arm => ({
  id,
  title,
  async open(): Promise<OpenArm> {
    const cipher = create()
    return {
      measure: async ({ ms }, { calls: [call] }) => measureCipher(cipher, call!.args as Uint8Array, ms),
      close: async () => {},
    }
  },
})

export const cipherArms: Arms = [
  cipherArm('node-crypto', 'node:crypto', createNodeCipher as () => Cipher),
  cipherArm('records', "Sallyport's records", createRecords as () => Cipher),
]
