// What a handshake gives to both sides, and whom core refuses, and why. What others may try is in attacks.test.ts.
import { isBusError, BusError } from '@sallyport/protocol'
import { describe, expect, it, vi } from 'vitest'
import { begin, credential, doorOf, refused, secret } from '../../test/handshake-ends.js'
import { createBusSecret, issueCredential, revocableId } from './credential.js'
import { writeRefusal } from './messages.js'
import { ReplayCache } from './replay-cache.js'

/** Reason and text of what it throws. */
function thrown(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (isBusError(error)) return `${error.reason}: ${error.message}`
    throw error
  }
  throw new Error('Nothing was thrown')
}

const NOT_OURS = 'Denied: The credential is not one of this bus'

describe('a handshake', () => {
  it('gives both sides the same keys, and each what it wants to know of the other', () => {
    const { label, hello, finish } = begin({ codec: 'msgpack' })
    const { welcome, session } = doorOf().answer(hello)
    const { instance, keys } = finish(welcome)
    expect({ label, instance }).toEqual({ label: 'main', instance: 'core-1' })
    const { keys: theirs, ...rest } = session!
    expect(rest).toEqual({ label: 'main', codec: 'msgpack', client: 'p1', credential: revocableId(credential) })
    for (const name of ['session', 'wire', 'gate'] as const)
      expect(Buffer.from(keys[name]).equals(theirs[name])).toBe(true)
    expect([keys.session.length, keys.wire.length, keys.gate.length]).toEqual([16, 32, 32])
  })

  it('gives other keys each time, to each use', () => {
    const door = doorOf()
    const all = Array.from({ length: 50 }, () => {
      const { hello, finish } = begin()
      const { session, wire, gate } = finish(door.answer(hello).welcome).keys
      return [session, wire.subarray(0, 16), gate.subarray(0, 16)].map(key => Buffer.from(key).toString('hex'))
    })
    expect(new Set(all.flat()).size).toBe(150)
  })

  it('ends once: the same keys would seal with the same nonces again', () => {
    const { hello, finish } = begin()
    const { welcome } = doorOf().answer(hello)
    finish(welcome)
    expect(thrown(() => finish(welcome))).toBe('InvalidRequest: This handshake has ended')
  })

  it('goes on after an answer that is none: another may have been quicker', () => {
    const { hello, finish } = begin()
    const { welcome } = doorOf().answer(hello)
    expect(thrown(() => finish(new Uint8Array(80)))).toContain('neither a welcome nor a refusal')
    expect(thrown(() => finish(writeRefusal(new BusError('Disconnected', 'Core drains'))))).toBe(
      'Disconnected: Core drains',
    )
    expect(finish(welcome).instance).toBe('core-1')
  })

  it('takes names and credentials that can be such', () => {
    expect(thrown(() => begin({ bus: 'a.b' }))).toBe(
      'InvalidParams: The name of a bus must be 1 to 64 letters, digits, "-" and "_"',
    )
    expect(thrown(() => begin({ client: '' }))).toContain('The name of a joined process must be')
    expect(thrown(() => begin({ credential: 'main' }))).toContain('This is no credential')
    expect(thrown(() => doorOf({ instance: 'a>' }))).toContain('The name of an instance must be')
    expect(thrown(() => doorOf({ secret: 'short' }))).toContain('The secret of a bus must be base64url')
    expect(thrown(() => doorOf({ revoked: [credential] }))).toBe(
      'InvalidParams: What is revoked must be the id of a credential, as revocableId gives it',
    )
  })
})

describe('core refuses', () => {
  it('a credential of another bus, with the text of a forged one', () => {
    const other = issueCredential(createBusSecret(), { label: 'main' })
    expect(refused(doorOf(), begin({ credential: other }).hello)).toBe(NOT_OURS)
  })

  it('a hello for another bus of the same secret', () => {
    expect(refused(doorOf({ bus: 'till' }), begin().hello)).toBe('InvalidRequest: This is the bus till, not shop')
  })

  it('another pattern, and names both', () => {
    const text = 'InvalidRequest: The pattern of the bus is isolation, and that of the frontend brownfield'
    expect(refused(doorOf(), begin({ pattern: 'brownfield' }).hello)).toBe(text)
  })

  it('another version, and says which is spoken', () => {
    const { hello } = begin()
    hello[0] = 2
    expect(refused(doorOf(), hello)).toBe('InvalidRequest: The handshake has version 1 here, not 2')
  })

  it('an expired credential, from its time on', () => {
    const expires = new Date(Date.now() + 10_000)
    const expiring = issueCredential(secret, { label: 'main', expires })
    const at = (time: number) => doorOf({ now: () => time })
    expect(at(expires.getTime() - 1).answer(begin({ credential: expiring }).hello).session).toBeDefined()
    for (const late of [0, 1, 10 ** 12]) {
      const text = refused(at(expires.getTime() + late), begin({ credential: expiring }).hello)
      expect(text).toBe('Denied: The credential has expired')
    }
  })

  it('a revoked credential, and no other of its label', () => {
    const door = doorOf({ revoked: [revocableId(credential)] })
    expect(refused(door, begin().hello)).toBe('Denied: The credential was revoked')
    const another = issueCredential(secret, { label: 'main' })
    expect(door.answer(begin({ credential: another }).hello).session?.label).toBe('main')
  })

  it('a hello that is too old, or from the future', () => {
    for (const [by, taken] of [
      [0, true],
      [29_000, true],
      [-29_000, true],
      [31_000, false],
      [-31_000, false],
      [NaN, false],
    ] as const) {
      const door = doorOf({ now: () => Date.now() + by })
      const { hello } = begin()
      if (taken) expect(door.answer(hello).session).toBeDefined()
      else expect(refused(door, hello)).toBe('Denied: The hello is not of this time: clocks may differ by 30 s')
    }
  })

  it('a hello that it has taken, for as long as its time would do', () => {
    let now = Date.now()
    const door = doorOf({ now: () => now })
    const { hello } = begin()
    expect(door.answer(hello).session).toBeDefined()
    for (const later of [0, 15_000, 14_000]) {
      now += later
      expect(refused(door, hello)).toBe('InvalidRequest: The hello was taken before')
    }
    now += 60_000
    expect(refused(door, hello)).toContain('not of this time')
  })

  it('what is beyond its memory of hellos', () => {
    const add = vi.spyOn(ReplayCache.prototype, 'add').mockReturnValue(false)
    expect(refused(doorOf(), begin().hello)).toBe('Overloaded: Too many sessions were opened within a minute')
    // What is refused for other reasons takes no place there.
    expect(refused(doorOf(), begin({ pattern: 'brownfield' }).hello)).toContain('The pattern of the bus')
    expect(add).toHaveBeenCalledOnce()
    add.mockRestore()
  })

  it('everything, where its clock fails, and says nothing of that', () => {
    const door = doorOf({
      now: () => {
        throw new Error('no clock, and a secret')
      },
    })
    expect(refused(door, begin().hello)).toBe('InternalError: The hello could not be judged')
  })
})
