// Test vectors of the protection, computed with this code and with node:crypto alone, as the ADR describes them.
import { createCipheriv, hkdfSync } from 'node:crypto'
import { expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { createSide, seal, SECRET, SESSION } from '../../test/long/link-pair.js'

// The second message of a session, with the plaintext `hello`. Secret 00 … 1f, session a0 … af.
const VECTORS = [
  {
    side: 'frontend',
    cipher: false,
    direction: 'nats signed to core',
    key: 'c117eee403332527dcc68e08d2e9d898838266b53a99c76c1be702700d2275bd',
    iv: '6e99a349fc7d8b5bf6b87f41',
    message: '000000000000000168656c6c6f5242d0f9420209aa43b102bf954d0217',
  },
  {
    side: 'core',
    cipher: false,
    direction: 'nats signed to frontend',
    key: '561bce1675cf01f6579558a5fe53dd29e11d4a2fdf5032926a0bcc8bb71406c2',
    iv: '0b590f7d90bd98e190159d50',
    message: '000000000000000168656c6c6fda9666b38cc6c0c76198184ca182df6a',
  },
  {
    side: 'frontend',
    cipher: true,
    direction: 'nats encrypted to core',
    key: 'f4822f01d0119914e2a4d57c603ecdc6ef407887dc98a6d2e2d24baed9b28307',
    iv: 'efb0bf32ebb6d8e2655f4a21',
    message: '000000000000000185e479158fbb11bb122e2d5d88444f6ac615e43b35',
  },
  {
    side: 'core',
    cipher: true,
    direction: 'nats encrypted to frontend',
    key: 'a91918ded962c140db6a8c5ef98ae287167b64a9df8deaca09ea20e96ed63070',
    iv: 'd2452fc0506cb3db0acd8d52',
    message: '0000000000000001d5f9f6f8e525f4b15bd4fade3345700252f80dc021',
  },
] as const

function derive(label: string, direction: string, length: number): Buffer {
  const info = Buffer.concat([Buffer.from(`sallyport/1 record ${label}\0${direction}\0`), Buffer.alloc(4)])
  return Buffer.from(hkdfSync('sha256', SECRET, SESSION, info, length))
}

const plain = Buffer.from('hello')

it('seals the messages of the vectors', () =>
  rows(VECTORS)(({ side, cipher, message }) => {
    const protection = createSide(side, cipher)
    seal(protection, Buffer.from('first'))
    expect(seal(protection, plain).toString('hex')).toBe(message)
  }))

it('is AES-256-GCM with the nonce of sequence 1', () =>
  rows(VECTORS)(({ cipher, direction, key, iv, message }) => {
    const [rawKey, nonce] = [derive('key', direction, 32), derive('iv', direction, 12)]
    expect([rawKey.toString('hex'), nonce.toString('hex')]).toEqual([key, iv])
    nonce[11]! ^= 1
    const header = Buffer.from([0, 0, 0, 0, 0, 0, 0, 1])
    const gcm = createCipheriv('aes-256-gcm', rawKey, nonce).setAAD(cipher ? header : Buffer.concat([header, plain]))
    const body = cipher ? gcm.update(plain) : plain
    gcm.final()
    expect(Buffer.concat([header, body, gcm.getAuthTag()]).toString('hex')).toBe(message)
  }))
