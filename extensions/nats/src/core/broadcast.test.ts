// Broadcasts between instances, and attacks by a client that can read and write their subject.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createBusSecret } from '../handshake/credential.js'
import { type Broadcast, type BroadcastOptions, createBroadcast, type Opened } from './broadcast.js'
import { MAX_BROADCAST_SENDERS } from '@sallyport/protocol/internal/wire'

const secret = createBusSecret()
const NOW = 1_800_000_000_000
const create = (options: Partial<BroadcastOptions> = {}): Broadcast =>
  createBroadcast({ secret, bus: 'shop', subject: 'sallyport.shop.events', instance: 'a', now: () => NOW, ...options })
const read = (receiver: Broadcast, message: Uint8Array): string | undefined => {
  const opened = receiver.open(message)
  return opened === 'early' ? opened : opened && `${opened.instance}: ${Buffer.from(opened.plain).toString()}`
}
const bytes = (text: string): Uint8Array => Buffer.from(text)

describe('a broadcast', () => {
  it('is accepted by every other instance once, with any bytes and the name of its sender', () => {
    const [a, b, c] = [create(), create({ instance: 'b' }), create({ instance: 'c' })]
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), plain => {
        const message = a.seal(plain)
        for (const receiver of [b, c]) {
          const opened = receiver.open(message) as Opened
          expect(opened.instance).toBe('a')
          expect(Buffer.from(plain).equals(opened.plain)).toBe(true)
          expect(receiver.open(message)).toBeUndefined()
        }
        expect(a.open(message)).toBeUndefined()
      }),
    )
  })

  it('hides its plaintext, and encrypts the same plaintext differently each time', () => {
    const a = create()
    const [first, second] = [a.seal(bytes('a secret')), a.seal(bytes('a secret'))].map(message => Buffer.from(message))
    expect(first?.includes('secret')).toBe(false)
    expect(first?.subarray(-24)).not.toEqual(second?.subarray(-24))
  })

  it('is accepted after a message was lost', () => {
    const [a, b] = [create(), create({ instance: 'b' })]
    const all = ['one', 'two', 'three'].map(text => a.seal(bytes(text)))
    expect([read(b, all[0]!), read(b, all[2]!)]).toEqual(['a: one', 'a: three'])
  })

  it('is accepted with the next key, and after its sender restarts', () => {
    const [a, b] = [create(), create({ instance: 'b' })]
    for (let i = 0; i < 2 ** 16 - 1; i++) a.seal(new Uint8Array())
    expect([read(b, a.seal(bytes('last'))), read(b, a.seal(bytes('first')))]).toEqual(['a: last', 'a: first'])
    expect(read(b, create().seal(bytes('again')))).toBe('a: again')
  })

  it('is sealed with a time that never decreases', () => {
    let now = NOW
    const a = create({ now: () => now })
    a.seal(bytes('one'))
    now -= 60_000
    expect(read(create({ instance: 'b' }), a.seal(bytes('two')))).toBe('a: two')
  })
})

describe('an instance drops', () => {
  it('a message with any bit flipped, and accepts the original afterwards', () => {
    const [a, b] = [create(), create({ instance: 'b' })]
    const message = a.seal(bytes('body'))
    for (let bit = 0; bit < message.length * 8; bit++) {
      const changed = Uint8Array.from(message)
      changed[bit >> 3]! ^= 1 << (bit & 7)
      expect(b.open(changed)).toBeUndefined()
    }
    expect(read(b, message)).toBe('a: body')
  })

  it('a truncated or extended message', () => {
    const [a, b] = [create(), create({ instance: 'b' })]
    const message = a.seal(bytes('body'))
    for (let size = 0; size < message.length; size++) expect(b.open(message.subarray(0, size))).toBeUndefined()
    expect(b.open(Buffer.concat([message, new Uint8Array(1)]))).toBeUndefined()
    expect(b.open(Buffer.concat([new Uint8Array(1), message]))).toBeUndefined()
  })

  it('random bytes and values', () => {
    const b = create({ instance: 'b' })
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.anything()), value => {
        expect(b.open(value as Uint8Array)).toBeUndefined()
      }),
      { numRuns: 300 },
    )
  })

  it('a replayed message, and one that arrives after a later one', () => {
    const [a, b] = [create(), create({ instance: 'b' })]
    const [first, second] = [a.seal(bytes('one')), a.seal(bytes('two'))] as const
    expect([second, first, second, first].map(message => read(b, message))).toEqual([
      'a: two',
      undefined,
      undefined,
      undefined,
    ])
  })

  it('a message of another secret, bus or subject', () => {
    for (const other of [{ secret: createBusSecret() }, { bus: 'till' }, { subject: 'sallyport.shop.instances' }]) {
      expect(create({ instance: 'b' }).open(create(other).seal(bytes('body')))).toBeUndefined()
    }
  })

  it('a message that is too old or from the future', () => {
    for (const offset of [31_000, -31_000, NaN]) {
      expect(create({ instance: 'b', now: () => NOW + offset }).open(create().seal(bytes('body')))).toBeUndefined()
    }
    let now = NOW - 30_000
    const b = create({ instance: 'b', now: () => now })
    const a = create()
    expect(read(b, a.seal(bytes('one')))).toBe('a: one')
    now = NOW + 30_000
    expect(read(b, a.seal(bytes('two')))).toBe('a: two')
  })

  it('a message from before its start, which it can have accepted before a restart', () => {
    const old = create({ now: () => NOW - 1 }).seal(bytes('old'))
    const b = create({ instance: 'b' })
    expect([b.open(old), b.open(old)]).toEqual(['early', 'early'])
    old[old.length - 1]! ^= 1
    expect(b.open(old)).toBeUndefined()
  })

  it('replayed messages of forgotten senders', () => {
    let now = NOW
    const clock = () => now
    const b = create({ instance: 'b', now: clock })
    const all: Uint8Array[] = []
    for (let i = 0; i <= MAX_BROADCAST_SENDERS; i++) {
      all.push(create({ now: clock }).seal(bytes(`${i}`)))
      expect(read(b, all[i]!)).toBe(`a: ${i}`)
      now += 1
    }
    for (const message of all) expect(b.open(message)).toBeUndefined()
    expect(read(b, create({ now: clock }).seal(bytes('new')))).toBe('a: new')
  })

  it('a message that was forged in the name of a sender, and no later one', () => {
    const [a, b] = [create(), create({ instance: 'b' })]
    const forged = Buffer.from(a.seal(bytes('one')))
    forged.writeBigUInt64BE(2n ** 40n, 17)
    expect(b.open(forged)).toBeUndefined()
    expect(read(b, a.seal(bytes('two')))).toBe('a: two')
  })
})
