// Test vectors of the protection, computed with this code and with node:crypto alone, as the ADR describes them.
import { createCipheriv, hkdfSync } from 'node:crypto'
import { expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { createSide, seal, SECRET, SESSION } from '../../test/long/link-pair.js'

// The second message of a session, with the plaintext `hello`. Secret 00 … 1f, session a0 … af.
const VECTORS = [
  {
    side: 'frontend',
    direction: 'nats encrypted to core',
    key: 'f4822f01d0119914e2a4d57c603ecdc6ef407887dc98a6d2e2d24baed9b28307',
    iv: 'efb0bf32ebb6d8e2655f4a21',
    message: '000000000000000185e479158fbb11bb122e2d5d88444f6ac615e43b35',
  },
  {
    side: 'core',
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
  rows(VECTORS)(({ side, message }) => {
    const protection = createSide(side)
    seal(protection, Buffer.from('first'))
    expect(seal(protection, plain).toString('hex')).toBe(message)
  }))

it('is AES-256-GCM with the nonce of sequence 1', () =>
  rows(VECTORS)(({ direction, key, iv, message }) => {
    const [rawKey, nonce] = [derive('key', direction, 32), derive('iv', direction, 12)]
    expect([rawKey.toString('hex'), nonce.toString('hex')]).toEqual([key, iv])
    nonce[11]! ^= 1
    const header = Buffer.from([0, 0, 0, 0, 0, 0, 0, 1])
    const gcm = createCipheriv('aes-256-gcm', rawKey, nonce).setAAD(header)
    const body = gcm.update(plain)
    gcm.final()
    expect(Buffer.concat([header, body, gcm.getAuthTag()]).toString('hex')).toBe(message)
  }))
