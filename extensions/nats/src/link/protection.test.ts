// Protected messages are accepted once and in order; forged and replayed messages are dropped, and loss is reported.
import { createCipheriv, hkdfSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { seal as sealPlain, SECRET, SESSION, createSide, seal } from '../../test/long/link-pair.js'
import { createProtection, type ProtectionOptions } from './messages.js'

const LOST = 'Messages of the session were lost'
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

describe('protected messages', () => {
  const pair = (limits?: ProtectionOptions['limits']) => {
    const [from, to] = (['frontend', 'core'] as const).map(side =>
      createProtection({ secret: SECRET, session: SESSION, side, limits }),
    )
    const open = (message: Uint8Array): string | undefined => {
      const plain = to!.open(Uint8Array.from(message))
      return plain && Buffer.from(plain).toString()
    }
    return { seal: (text: string) => Uint8Array.from(sealPlain(from!, Buffer.from(text))), open, from: from!, to: to! }
  }

  it('are opened in order', () => {
    const { seal, open } = pair()
    for (const text of ['a', '', 'b'.repeat(300_000)]) expect(open(seal(text))).toBe(text)
  })

  it('hide the plaintext', () => {
    expect(Buffer.from(pair().seal('readable')).includes('readable')).toBe(false)
  })

  it('are dropped with any bit flipped, and the original is accepted afterwards', () => {
    const { seal, open } = pair()
    const message = seal('abc')
    for (let bit = 0; bit < message.length * 8; bit++) {
      const forged = Uint8Array.from(message)
      forged[bit >> 3]! ^= 1 << (bit & 7)
      expect(open(forged), `bit ${bit}`).toBeUndefined()
    }
    expect(open(message)).toBe('abc')
  })

  it('are dropped if they are truncated or extended', () => {
    const { seal, open } = pair()
    const message = seal('abc')
    for (let length = 0; length < message.length; length++) expect(open(message.subarray(0, length))).toBeUndefined()
    expect(open(Buffer.concat([message, Buffer.alloc(1)]))).toBeUndefined()
    expect(open(message)).toBe('abc')
  })

  it('are dropped if they are replayed', () => {
    const { seal, open } = pair()
    const [first, second] = [seal('a'), seal('b')]
    expect([first, first, second, first, second].map(open)).toEqual(['a', undefined, 'b', undefined, undefined])
  })

  it('are dropped if they return to their sender, or come from another session or key', () => {
    const { seal, open, from } = pair()
    const options = { secret: SECRET, session: SESSION, side: 'frontend' } as const
    expect(from.open(seal('a'))).toBeUndefined()
    for (const other of [
      { ...options, session: new Uint8Array(16) },
      { ...options, secret: new Uint8Array(32) },
      { ...options, side: 'core' } as const,
    ])
      expect(open(sealPlain(createProtection(other), Buffer.from('a')))).toBeUndefined()
  })

  it('report a loss each time an authentic message arrives too early', () => {
    const { seal, open } = pair()
    const [first, , third] = [seal('a'), seal('b'), seal('c')]
    expect(open(first)).toBe('a')
    const forged = Uint8Array.from(third)
    forged[9]! ^= 1
    expect(open(forged)).toBeUndefined()
    expect(() => open(third)).toThrow(LOST)
    expect(() => open(third)).toThrow(LOST)
  })

  it('change their key after a number of records or bytes', () =>
    rows([{ records: 2 }, { bytes: 3 }])(limits => {
      const { seal, open } = pair(limits)
      const messages = Array.from({ length: 7 }, (_, i) => seal(`${i}.`))
      expect(messages.map(message => hex(message.subarray(0, 8)))).toEqual([
        '0000000000000000',
        '0000000000000001',
        '0000000100000000',
        '0000000100000001',
        '0000000200000000',
        '0000000200000001',
        '0000000300000000',
      ])
      for (const message of messages.slice(0, 3)) expect(open(message)).toMatch(/^\d\.$/)
      expect(messages.slice(0, 3).map(open), 'replayed').toEqual([undefined, undefined, undefined])
      expect(() => open(messages[4]!), 'lost at the end of an epoch').toThrow(LOST)
      expect(() => open(messages[5]!), 'lost in the next epoch').toThrow(LOST)
      expect(open(messages[6]!), 'no key is derived for later epochs').toBeUndefined()
      const forged = Uint8Array.from(messages[4]!)
      forged[8]! ^= 1
      expect(open(forged)).toBeUndefined()
      expect(open(messages[3]!)).toBe('3.')
    }))

  it('are sealed in place', () => {
    const { from, open } = pair()
    const message = Buffer.alloc(8 + 3 + 16)
    message.write('abc', 8)
    expect(from.seal(message)).toBe(message)
    expect(open(message)).toBe('abc')
  })
})

// Test vectors of the protection, computed with this code and with node:crypto alone, as the ADR describes them.
describe('test vectors', () => {
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
})
