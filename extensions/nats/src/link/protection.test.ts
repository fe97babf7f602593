// Protected messages are accepted once and in order; forged and replayed messages are dropped, and loss is reported.
import { describe, expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { seal as sealPlain, SECRET, SESSION } from '../../test/long/link-pair.js'
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
