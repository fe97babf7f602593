// What a handshake must withstand from whoever may read and write every subject of its broker. Each attack has a test by name.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { begin, credential, doorOf, refused, secret } from '../../test/handshake-ends.js'
import { deriveSessionKeys } from './key-derivation.js'
import { credentialKey, readCredential } from './credential.js'
import { readHello, writeHello, type Hello } from './messages.js'
import { initiateHandshake } from './initiator.js'
import { createBusSecret, issueCredential } from './credential.js'
import { readBusSecret } from './credential.js'
import { readRefusal } from './messages.js'

const FORGED = 'Denied: The credential is not one of this bus'
const flip = (bytes: Uint8Array, bit: number): Uint8Array => {
  const flipped = Uint8Array.from(bytes)
  flipped[bit >> 3]! ^= 1 << (bit & 7)
  return flipped
}
/** What the hello of `begin` says, with changes, proven with a key. */
const rewritten = (change: Partial<Hello>, key: Uint8Array): Uint8Array =>
  writeHello(key, { ...readHello(begin().hello)!, ...change })

describe('core opens no session for', () => {
  it('a bit flipped anywhere in a hello', () => {
    const door = doorOf()
    const { hello } = begin()
    for (let bit = 0; bit < hello.length * 8; bit++) {
      expect(refused(door, flip(hello, bit))).toMatch(
        /^Denied: The credential is not|^InvalidRequest: (This is no|The handshake has)/,
      )
    }
    expect(door.answer(hello).session?.label).toBe('main')
  })

  it('every truncation of a hello, and any extension', () => {
    const door = doorOf()
    const { hello } = begin()
    for (let size = 0; size < hello.length; size++) {
      expect(refused(door, hello.subarray(0, size))).toMatch(/^InvalidRequest: /)
    }
    for (const more of [1, 32, 10_000_000]) {
      expect(refused(door, Buffer.concat([hello, Buffer.alloc(more)]))).toBe('InvalidRequest: This is no hello')
    }
  })

  it('anything that is no hello', () => {
    const door = doorOf()
    const start = fc.constantFrom([], [1], [1, 1], [1, 1, 1, 0])
    const noise = fc
      .tuple(start, fc.uint8Array({ maxLength: 600 }))
      .map(parts => Buffer.concat(parts.map(part => Uint8Array.from(part))))
    fc.assert(
      fc.property(fc.oneof(noise, fc.anything()), given => {
        expect(refused(door, given as Uint8Array)).toMatch(/^(InvalidRequest|Denied): /)
      }),
      { numRuns: 1000 },
    )
    const trap = new Proxy(new Uint8Array(8), {})
    expect(() => door.answer(trap)).not.toThrow()
  })

  it('another label, id or expiry than the credential was issued for', () => {
    const { key, expires } = readCredential(credential)
    const soon = readCredential(issueCredential(secret, { label: 'main', expires: new Date(Date.now() + 1000) }))
    for (const change of [{ label: 'admin' }, { id: Buffer.alloc(16) }, { expires: expires + 1 }]) {
      expect(refused(doorOf(), rewritten(change, key))).toBe(FORGED)
    }
    expect(refused(doorOf(), rewritten({ id: soon.id, expires: 0 }, soon.key))).toBe(FORGED)
  })

  it('a label that no bus would take, even where it is proven', () => {
    for (const label of ['host', 'core', 'a b', '', 'ä', 'x'.repeat(201)]) {
      const claims = { id: Buffer.alloc(16), label, expires: 0 }
      const hello = rewritten(claims, credentialKey(readBusSecret(secret), claims))
      expect(refused(doorOf(), hello)).toBe('InvalidRequest: This is no hello')
    }
  })

  it('a credential that someone made up', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), key => {
        expect(refused(doorOf(), rewritten({}, key))).toBe(FORGED)
      }),
    )
    // Whether its id was revoked, or its time has passed, is not told to who can't prove that they hold it.
    const { id } = readCredential(credential)
    const door = doorOf({ revoked: [Buffer.from(id).toString('hex')] })
    expect(refused(door, rewritten({ expires: 1 }, new Uint8Array(32)))).toBe(FORGED)
    expect(refused(door, rewritten({}, new Uint8Array(32)))).toBe(FORGED)
  })

  it('a hello played again', () => {
    const door = doorOf()
    const { hello } = begin()
    door.answer(hello)
    expect(refused(door, hello)).toBe('InvalidRequest: The hello was taken before')
    expect(refused(door, Uint8Array.from(hello))).toBe('InvalidRequest: The hello was taken before')
  })
})

describe('a hello played to another instance', () => {
  it('opens there what only the holder of the credential could use', () => {
    const { hello, finish } = begin()
    const [one, two] = [doorOf(), doorOf({ instance: 'core-2' })].map(door => door.answer(hello))
    expect(Buffer.from(one!.session!.keys.wire).equals(two!.session!.keys.wire)).toBe(false)
    expect(finish(one!.welcome).instance).toBe('core-1')
  })
})

describe('the joined side takes no keys from', () => {
  const both = (): { welcome: Uint8Array; finish: (answer: Uint8Array) => unknown } => {
    const { hello, finish } = begin()
    return { welcome: doorOf().answer(hello).welcome, finish }
  }

  it('a bit flipped anywhere in a welcome, and still takes it as it was', () => {
    const { welcome, finish } = both()
    for (let bit = 0; bit < welcome.length * 8; bit++) expect(() => finish(flip(welcome, bit))).toThrow()
    expect(finish(welcome)).toMatchObject({ instance: 'core-1' })
  })

  it('every truncation of a welcome, and any extension', () => {
    const { welcome, finish } = both()
    for (let size = 0; size < welcome.length; size++) expect(() => finish(welcome.subarray(0, size))).toThrow()
    expect(() => finish(Buffer.concat([welcome, new Uint8Array(1)]))).toThrow()
  })

  it('a welcome played again, to another hello', () => {
    expect(() => begin().finish(both().welcome)).toThrow('The welcome proves nothing')
  })

  it('a core of another secret', () => {
    const { finish } = begin()
    const other = createBusSecret()
    const theirs = initiateHandshake({
      credential: issueCredential(other, { label: 'main' }),
      ...({ bus: 'shop', client: 'p1', pattern: 'isolation', codec: 'json' } as const),
    })
    expect(() => finish(doorOf({ secret: other }).answer(theirs.hello).welcome)).toThrow('The welcome proves nothing')
  })

  it('anything that is no answer, which is always an error of the bus', () => {
    const { finish } = begin()
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.anything()), given => {
        expect(() => finish(given as Uint8Array)).toThrow(expect.objectContaining({ name: 'BusError' }) as Error)
      }),
      { numRuns: 500 },
    )
  })

  it('a refusal, whoever wrote it: its text is bounded', () => {
    const long = Buffer.concat([Buffer.from([1, 3, 0xff, 0xff, 0x82, 0xff]), Buffer.alloc(1024)])
    expect(readRefusal(long)).toBeUndefined()
    expect(readRefusal(long.subarray(0, 1024))).toMatchObject({ reason: 'Denied' })
  })
})

it('each byte of the transcript changes each key', () => {
  const hello = begin().hello
  const welcome = doorOf().answer(hello).welcome.subarray(0, -32)
  const { key } = readCredential(credential)
  const hex = (a: Uint8Array, b: Uint8Array): string[] => {
    const { keys, proof } = deriveSessionKeys(key, a, b, new Uint8Array(16))
    return [keys.wire, keys.gate, proof].map(bytes => Buffer.from(bytes).toString('hex'))
  }
  const all = new Set(hex(hello, welcome))
  for (let at = 0; at < hello.length; at++) for (const text of hex(flip(hello, at * 8), welcome)) all.add(text)
  for (let at = 0; at < welcome.length; at++) for (const text of hex(hello, flip(welcome, at * 8))) all.add(text)
  expect(all.size).toBe(3 * (1 + hello.length + welcome.length))
})
