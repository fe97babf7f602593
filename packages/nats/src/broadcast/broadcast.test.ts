// Broadcasts between instances: what arrives, and what others may try with a subject that they can read and write.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createBusSecret } from '../handshake/credential.js'
import { type Broadcast, type BroadcastOptions, createBroadcast } from './broadcast.js'
import { MAX_SENDERS } from './broadcast.js'

const secret = createBusSecret()
const NOW = 1_800_000_000_000
const of = (over: Partial<BroadcastOptions> = {}): Broadcast =>
  createBroadcast({ secret, bus: 'shop', subject: 'sallyport.shop.events', instance: 'a', now: () => NOW, ...over })
const taken = (at: Broadcast, message: Uint8Array): string | undefined => {
  const opened = at.open(message)
  return opened && `${opened.instance}: ${Buffer.from(opened.plain).toString()}`
}
const bytes = (text: string): Uint8Array => Buffer.from(text)

describe('a broadcast', () => {
  it('brings any bytes to each other instance, once, with the name of its sender', () => {
    const [a, b, c] = [of(), of({ instance: 'b' }), of({ instance: 'c' })]
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), plain => {
        const message = a.seal(plain)
        for (const at of [b, c]) {
          const opened = at.open(message)
          expect(opened?.instance).toBe('a')
          expect(Buffer.from(plain).equals(opened!.plain)).toBe(true)
          expect(at.open(message)).toBeUndefined()
        }
        expect(a.open(message)).toBeUndefined()
      }),
    )
  })

  it('shows nothing of what it holds, and nothing twice', () => {
    const a = of()
    const [one, two] = [a.seal(bytes('a secret')), a.seal(bytes('a secret'))].map(message => Buffer.from(message))
    expect(one?.includes('secret')).toBe(false)
    expect(one?.subarray(-24)).not.toEqual(two?.subarray(-24))
  })

  it('goes on after one that was lost', () => {
    const [a, b] = [of(), of({ instance: 'b' })]
    const all = ['one', 'two', 'three'].map(text => a.seal(bytes(text)))
    expect([taken(b, all[0]!), taken(b, all[2]!)]).toEqual(['a: one', 'a: three'])
  })

  it('goes on with the next key, and when its sender starts again', () => {
    const [a, b] = [of(), of({ instance: 'b' })]
    for (let i = 0; i < 2 ** 16 - 1; i++) a.seal(new Uint8Array())
    expect([taken(b, a.seal(bytes('last'))), taken(b, a.seal(bytes('first')))]).toEqual(['a: last', 'a: first'])
    expect(taken(b, of().seal(bytes('again')))).toBe('a: again')
  })

  it('is sealed at a time that never goes back', () => {
    let now = NOW
    const a = of({ now: () => now })
    a.seal(bytes('one'))
    now -= 60_000
    expect(taken(of({ instance: 'b' }), a.seal(bytes('two')))).toBe('a: two')
  })
})

describe('an instance drops', () => {
  it('a changed bit, anywhere; and takes the message as it was', () => {
    const [a, b] = [of(), of({ instance: 'b' })]
    const message = a.seal(bytes('body'))
    for (let bit = 0; bit < message.length * 8; bit++) {
      const changed = Uint8Array.from(message)
      changed[bit >> 3]! ^= 1 << (bit & 7)
      expect(b.open(changed)).toBeUndefined()
    }
    expect(taken(b, message)).toBe('a: body')
  })

  it('every truncation and any extension', () => {
    const [a, b] = [of(), of({ instance: 'b' })]
    const message = a.seal(bytes('body'))
    for (let size = 0; size < message.length; size++) expect(b.open(message.subarray(0, size))).toBeUndefined()
    expect(b.open(Buffer.concat([message, new Uint8Array(1)]))).toBeUndefined()
    expect(b.open(Buffer.concat([new Uint8Array(1), message]))).toBeUndefined()
  })

  it('what is no broadcast', () => {
    const b = of({ instance: 'b' })
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.anything()), given => {
        expect(b.open(given as Uint8Array)).toBeUndefined()
      }),
      { numRuns: 300 },
    )
  })

  it('a replay, and what was overtaken', () => {
    const [a, b] = [of(), of({ instance: 'b' })]
    const [one, two] = [a.seal(bytes('one')), a.seal(bytes('two'))]
    expect([two, one, two, one].map(message => taken(b, message))).toEqual(['a: two', undefined, undefined, undefined])
  })

  it('a message of another secret, bus or subject', () => {
    for (const other of [{ secret: createBusSecret() }, { bus: 'till' }, { subject: 'sallyport.shop.instances' }]) {
      expect(of({ instance: 'b' }).open(of(other).seal(bytes('body')))).toBeUndefined()
    }
  })

  it('what is too old, or from the future', () => {
    for (const by of [31_000, -31_000, NaN]) {
      expect(of({ instance: 'b', now: () => NOW + by }).open(of().seal(bytes('body')))).toBeUndefined()
    }
    let now = NOW - 30_000
    const b = of({ instance: 'b', now: () => now })
    const a = of()
    expect(taken(b, a.seal(bytes('one')))).toBe('a: one')
    now = NOW + 30_000
    expect(taken(b, a.seal(bytes('two')))).toBe('a: two')
  })

  it('what was sent before it started: it may have taken that before it started again', () => {
    const old = of({ now: () => NOW - 1 }).seal(bytes('old'))
    expect(of({ instance: 'b' }).open(old)).toBeUndefined()
  })

  it('a replay of a sender that it had to forget', () => {
    let now = NOW
    const clock = () => now
    const b = of({ instance: 'b', now: clock })
    const all: Uint8Array[] = []
    for (let i = 0; i <= MAX_SENDERS; i++) {
      all.push(of({ now: clock }).seal(bytes(`${i}`)))
      expect(taken(b, all[i]!)).toBe(`a: ${i}`)
      now += 1
    }
    for (const message of all) expect(b.open(message)).toBeUndefined()
    expect(taken(b, of({ now: clock }).seal(bytes('new')))).toBe('a: new')
  })

  it('nothing else for a message that was forged in the name of a sender', () => {
    const [a, b] = [of(), of({ instance: 'b' })]
    const forged = Buffer.from(a.seal(bytes('one')))
    forged.writeBigUInt64BE(2n ** 40n, 17)
    expect(b.open(forged)).toBeUndefined()
    expect(taken(b, a.seal(bytes('two')))).toBe('a: two')
  })
})
