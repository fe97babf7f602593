// Attacks on the handshake by a client that can read and write every subject of the broker.
import { MAX_HELLOS } from '@sallyport/protocol/internal/wire'
import { BusError } from '@sallyport/protocol/internal/errors'
import { rows } from '../../../../scripts/testing.js'
import fc from 'fast-check'
import { describe, expect, it, afterEach, beforeEach, test, vi } from 'vitest'
import { initiate, credential, createResponder, refused, secret } from '../../test/long/handshake.js'
import {
  createBusSecret,
  deriveCredentialKey,
  issueCredential,
  readBusSecret,
  readCredential,
  getCredentialId,
} from './credential.js'
import { initiateHandshake, MAX_HELLO_AGE, ReplayCache } from './handshake.js'
import {
  deriveSessionKeys,
  type Hello,
  PROOF_BYTES,
  readHello,
  readRefusal,
  readWelcome,
  writeHello,
  writeWelcome,
  writeRefusal,
} from './messages.js'

const FORGED = 'Denied: The credential is not valid for this bus'
const flip = (bytes: Uint8Array, bit: number): Uint8Array => {
  const flipped = Uint8Array.from(bytes)
  flipped[bit >> 3]! ^= 1 << (bit & 7)
  return flipped
}
/** Returns the hello of `initiate` with changes and a proof by the given key. */
const forgeHello = (change: Partial<Hello>, key: Uint8Array): Uint8Array =>
  writeHello(key, { ...readHello(initiate().hello)!, ...change })

describe('core', () => {
  it('rejects a hello with any bit flipped', () => {
    const responder = createResponder()
    const { hello } = initiate()
    for (let bit = 0; bit < hello.length * 8; bit++) {
      expect(refused(responder, flip(hello, bit))).toMatch(
        /^Denied: The credential is not valid|^InvalidRequest: (The hello is malformed|Handshake version)/,
      )
    }
    expect(responder.respond(hello).session?.label).toBe('main')
  })

  it('a message of another version, kind, pattern or codec, or with a wrong name, is malformed', () => {
    const { hello } = initiate()
    const { answer } = createResponder().respond(hello)
    const change = (message: Uint8Array, at: number): Uint8Array => Uint8Array.from(message).fill(0xff, at, at + 1)
    expect(readHello(hello)).toBeDefined()
    for (const at of [0, 1, 2, 3]) expect(readHello(change(hello, at))).toBeUndefined()
    expect(readWelcome(answer)).toBeDefined()
    for (const at of [0, 1]) expect(readWelcome(change(answer, at))).toBeUndefined()
    for (const name of ['bus', 'client', 'label']) {
      expect(readHello(forgeHello({ [name]: 'a b' }, new Uint8Array(32)))).toBeUndefined()
    }
    const unnamed = writeWelcome({ ...readWelcome(answer)!, instance: 'a b' })
    expect(readWelcome(Buffer.concat([unnamed, new Uint8Array(PROOF_BYTES)]))).toBeUndefined()
  })

  it('rejects a truncated or extended hello', () => {
    const responder = createResponder()
    const { hello } = initiate()
    for (let size = 0; size < hello.length; size++) {
      expect(refused(responder, hello.subarray(0, size))).toMatch(/^InvalidRequest: /)
    }
    for (const more of [1, 32, 10_000_000]) {
      expect(refused(responder, Buffer.concat([hello, Buffer.alloc(more)]))).toBe(
        'InvalidRequest: The hello is malformed',
      )
    }
  })

  it('rejects random bytes and values', () => {
    const responder = createResponder()
    const start = fc.constantFrom([], [1], [1, 1], [1, 1, 1, 0])
    const noise = fc
      .tuple(start, fc.uint8Array({ maxLength: 600 }))
      .map(parts => Buffer.concat(parts.map(part => Uint8Array.from(part))))
    fc.assert(
      fc.property(fc.oneof(noise, fc.anything()), value => {
        expect(refused(responder, value as Uint8Array)).toMatch(/^(InvalidRequest|Denied): /)
      }),
      { numRuns: 1000 },
    )
    const trap = new Proxy(new Uint8Array(8), {})
    expect(() => responder.respond(trap)).not.toThrow()
  })

  it('rejects a label, id or expiry that the credential was not issued for', () => {
    const { key, expires } = readCredential(credential)
    const soon = readCredential(issueCredential(secret, { label: 'main', expires: new Date('9999-01-01') }))
    for (const change of [{ label: 'admin' }, { id: Buffer.alloc(16) }, { expires: expires + 1 }]) {
      expect(refused(createResponder(), forgeHello(change, key))).toBe(FORGED)
    }
    expect(refused(createResponder(), forgeHello({ id: soon.id, expires: 0 }, soon.key))).toBe(FORGED)
  })

  it('rejects an invalid label even with a valid proof', () => {
    for (const label of ['host', 'core', 'a b', '', 'ä', 'x'.repeat(201)]) {
      const claims = { id: Buffer.alloc(16), label, expires: 0 }
      const hello = forgeHello(claims, deriveCredentialKey(readBusSecret(secret), claims))
      expect(refused(createResponder(), hello)).toBe('InvalidRequest: The hello is malformed')
    }
  })

  it('rejects a made-up credential', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), key => {
        expect(refused(createResponder(), forgeHello({}, key))).toBe(FORGED)
      }),
    )
    // Revocation and expiry are reported only to a holder of the credential.
    const { id } = readCredential(credential)
    const responder = createResponder({ revoked: [Buffer.from(id).toString('hex')] })
    expect(refused(responder, forgeHello({ expires: 1 }, new Uint8Array(32)))).toBe(FORGED)
    expect(refused(responder, forgeHello({}, new Uint8Array(32)))).toBe(FORGED)
  })

  it('rejects a replayed hello', () => {
    const responder = createResponder()
    const { hello } = initiate()
    responder.respond(hello)
    expect(refused(responder, hello)).toBe('InvalidRequest: The hello was used before')
    expect(refused(responder, Uint8Array.from(hello))).toBe('InvalidRequest: The hello was used before')
  })
})

describe('a hello replayed to another instance', () => {
  it('opens a session with keys that only the holder of the credential can derive', () => {
    const { hello, finish } = initiate()
    const [first, second] = [createResponder(), createResponder({ instance: 'core-2' })].map(responder =>
      responder.respond(hello),
    )
    expect(Buffer.from(first!.session!.keys.wire).equals(second!.session!.keys.wire)).toBe(false)
    expect(finish(first!.answer).instance).toBe('core-1')
  })
})

describe('the joined process', () => {
  const getWelcome = (): { welcome: Uint8Array; finish: (answer: Uint8Array) => unknown } => {
    const { hello, finish } = initiate()
    return { welcome: createResponder().respond(hello).answer, finish }
  }

  it('rejects a welcome with any bit flipped, and accepts the original afterwards', () => {
    const { welcome, finish } = getWelcome()
    for (let bit = 0; bit < welcome.length * 8; bit++) expect(() => finish(flip(welcome, bit))).toThrow()
    expect(finish(welcome)).toMatchObject({ instance: 'core-1' })
  })

  it('rejects a truncated or extended welcome', () => {
    const { welcome, finish } = getWelcome()
    for (let size = 0; size < welcome.length; size++) expect(() => finish(welcome.subarray(0, size))).toThrow()
    expect(() => finish(Buffer.concat([welcome, new Uint8Array(1)]))).toThrow()
  })

  it('rejects a welcome that answers another hello', () => {
    expect(() => initiate().finish(getWelcome().welcome)).toThrow('invalid proof of core')
  })

  it('rejects the welcome of a core with another secret', () => {
    const { finish } = initiate()
    const other = createBusSecret()
    const initiator = initiateHandshake({
      credential: issueCredential(other, { label: 'main' }),
      ...({ bus: 'shop', client: 'p1', pattern: 'isolation', codec: 'json' } as const),
    })
    expect(() => finish(createResponder({ secret: other }).respond(initiator.hello).answer)).toThrow(
      'invalid proof of core',
    )
  })

  it('rejects random bytes and values with a BusError', () => {
    const { finish } = initiate()
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.anything()), value => {
        expect(() => finish(value as Uint8Array)).toThrow(expect.objectContaining({ name: 'BusError' }) as Error)
      }),
      { numRuns: 500 },
    )
  })

  it('rejects a refusal with a text that is too long', () => {
    const long = Buffer.concat([Buffer.from([1, 3, 0xff, 0xff, 0x82, 0xff]), Buffer.alloc(1024)])
    expect(readRefusal(long)).toBeUndefined()
    expect(readRefusal(long.subarray(0, 1024))).toMatchObject({ reason: 'Denied' })
  })
})

it('derives other keys if any byte of the transcript changes', () => {
  const hello = initiate().hello
  const welcome = createResponder().respond(hello).answer.subarray(0, -32)
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

// Refusals with and without a proof of core, and forged ones.
describe('refusals', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }))
  afterEach(() => void vi.useRealTimers())

  const revoking = createResponder({ revoked: [getCredentialId(credential)] })

  test('proves a refusal to a peer with a credential of the bus', () =>
    rows([
      ['a revoked credential', revoking, /revoked/],
      ['another pattern', createResponder({ pattern: 'brownfield' }), /pattern/],
      ['another bus', createResponder({ bus: 'other' }), /bus other/],
    ])((_name, responder, text) => {
      const handshake = initiate()
      const { answer, session } = responder.respond(handshake.hello)
      expect(session).toBeUndefined()
      expect(handshake.readProvenRefusal(answer)?.message).toMatch(text)
      expect(() => handshake.finish(answer)).toThrow(text)
    }))

  test('proves a refusal for an expired credential', () => {
    const secret = createBusSecret()
    const expires = new Date(Date.now() + 1e6)
    const handshake = initiate({ credential: issueCredential(secret, { label: 'main', expires }) })
    const { answer } = createResponder({ secret, now: () => Date.now() + 2e6 }).respond(handshake.hello)
    expect(handshake.readProvenRefusal(answer)).toMatchObject({
      reason: 'Denied',
      message: 'The credential has expired',
    })
  })

  test('does not prove a refusal to others, or with clocks apart', () =>
    rows([
      ['a credential of another bus', () => createResponder({ secret: createBusSecret() })],
      ['clocks apart', () => createResponder({ now: () => Date.now() + 60_000 })],
    ])((_name, createDoor) => {
      const handshake = initiate()
      const { answer } = createDoor().respond(handshake.hello)
      expect(handshake.readProvenRefusal(answer)).toBeUndefined()
      expect(() => handshake.finish(answer)).toThrow(BusError)
    }))

  test('does not prove a refusal for a hello that was used before, because an attacker can have replayed it', () => {
    const [responder, handshake] = [createResponder(), initiate()]
    responder.respond(handshake.hello)
    expect(handshake.readProvenRefusal(responder.respond(handshake.hello).answer)).toBeUndefined()
  })

  test('rejects a proven refusal that answers another hello, was changed, or is made up', () => {
    const [initiator, other] = [initiate(), initiate()]
    const { answer } = revoking.respond(initiator.hello)
    expect(other.readProvenRefusal(answer)).toBeUndefined()
    for (let at = 0; at < answer.length; at++) {
      const changed = Uint8Array.from(answer)
      changed[at]! ^= 1
      expect(initiator.readProvenRefusal(changed)).toBeUndefined()
      expect(initiator.readProvenRefusal(answer.subarray(0, at))).toBeUndefined()
    }
    const madeUp = writeRefusal(new BusError('Denied', 'The credential was revoked, and some text for its proof'))
    expect(initiator.readProvenRefusal(madeUp)).toBeUndefined()
    madeUp[1] = 4
    expect(initiator.readProvenRefusal(madeUp)).toBeUndefined()
    expect(initiator.readProvenRefusal(createResponder().respond(initiator.hello).answer)).toBeUndefined()
  })
})

// The replay cache is bounded, and forgets a hello only once its time is invalid.
it('keeps a hello as long as a hello from the future is valid', () => {
  const cache = new ReplayCache()
  expect([cache.add('a', 0), cache.has('a'), cache.has('b')]).toEqual([true, true, false])
  cache.add('b', 2 * MAX_HELLO_AGE)
  expect(cache.has('a')).toBe(true)
  cache.add('c', 2 * MAX_HELLO_AGE + 1)
  expect([cache.has('a'), cache.has('b')]).toEqual([false, true])
})

it('is full until hellos are too old', () => {
  const cache = new ReplayCache()
  for (let i = 0; i < MAX_HELLOS; i++) cache.add(`${i}`, i < 10 ? 0 : 1)
  expect([cache.has('0'), cache.has(`${MAX_HELLOS - 1}`)]).toEqual([true, true])
  expect([cache.add('more', 60_000), cache.has('more')]).toEqual([false, false])
  for (let i = 0; i < 10; i++) expect(cache.add(`later ${i}`, 60_001)).toBe(true)
  expect(cache.add('more', 60_001)).toBe(false)
})
