// The handshake between a joined process and core, and core's reasons to refuse. attacks.test.ts has the attacks.
import { isBusError, BusError } from '@sallyport/protocol/internal/errors'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { initiate, credential, createResponder, refused, secret } from '../../test/long/handshake.js'
import { createBusSecret, issueCredential, getCredentialId } from './credential.js'
import { writeRefusal } from './messages.js'
import { ReplayCache } from './handshake.js'

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }))
afterEach(() => void vi.useRealTimers())

/** Returns the reason and text of the error that `run` throws. */
function catchError(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (isBusError(error)) return `${error.reason}: ${error.message}`
    throw error
  }
  throw new Error('Nothing was thrown')
}

const INVALID_CREDENTIAL = 'Denied: The credential is not valid for this bus'
const TOO_OLD = "Denied: The time of the hello differs from core's clock by more than 30 s. Synchronize the clocks"

describe('a handshake', () => {
  it('derives the same keys at both ends, and identifies the peer', () => {
    const { label, hello, finish } = initiate({ codec: 'msgpack' })
    const { answer, session } = createResponder().respond(hello)
    const { instance, keys } = finish(answer)
    expect({ label, instance }).toEqual({ label: 'main', instance: 'core-1' })
    const { keys: coreKeys, ...rest } = session!
    expect(rest).toEqual({ label: 'main', codec: 'msgpack', client: 'p1', credential: getCredentialId(credential) })
    for (const name of ['session', 'wire', 'gate'] as const)
      expect(Buffer.from(keys[name]).equals(coreKeys[name])).toBe(true)
    expect([keys.session.length, keys.wire.length, keys.gate.length]).toEqual([16, 32, 32])
  })

  it('derives different keys for each session and each use', () => {
    const responder = createResponder()
    const all = Array.from({ length: 50 }, () => {
      const { hello, finish } = initiate()
      const { session, wire, gate } = finish(responder.respond(hello).answer).keys
      return [session, wire.subarray(0, 16), gate.subarray(0, 16)].map(key => Buffer.from(key).toString('hex'))
    })
    expect(new Set(all.flat()).size).toBe(150)
  })

  it('finishes only once, because the same keys would use each nonce twice', () => {
    const { hello, finish } = initiate()
    const { answer } = createResponder().respond(hello)
    finish(answer)
    expect(catchError(() => finish(answer))).toBe('InvalidRequest: The handshake is already finished')
  })

  it('accepts a welcome after a malformed answer and a refusal without proof', () => {
    const { hello, finish } = initiate()
    const { answer } = createResponder().respond(hello)
    expect(catchError(() => finish(new Uint8Array(80)))).toContain('neither a welcome nor a refusal')
    expect(catchError(() => finish(writeRefusal(new BusError('Disconnected', 'Core drains'))))).toBe(
      'Disconnected: Core drains',
    )
    expect(finish(answer).instance).toBe('core-1')
  })

  it('rejects invalid names, secrets, credentials and ids', () => {
    expect(catchError(() => initiate({ bus: 'a.b' }))).toBe(
      'InvalidParams: The name of a bus must be 1 to 64 letters, digits, "-" and "_"',
    )
    expect(catchError(() => initiate({ client: '' }))).toContain('The name of a joined process must be')
    expect(catchError(() => initiate({ credential: 'main' }))).toContain('Invalid credential')
    expect(catchError(() => createResponder({ instance: 'a>' }))).toContain('The name of an instance must be')
    expect(catchError(() => createResponder({ secret: 'short' }))).toContain('The secret of a bus must be base64url')
    const like = { toString: () => getCredentialId(credential), length: getCredentialId(credential).length }
    for (const revoked of [credential, like as unknown as string])
      expect(catchError(() => createResponder({ revoked: [revoked] }))).toBe(
        'InvalidParams: revoked must be ids of credentials, as getCredentialId returns them',
      )
  })
})

describe('core refuses', () => {
  it('a credential of another bus, with the text for a forged one', () => {
    const other = issueCredential(createBusSecret(), { label: 'main' })
    expect(refused(createResponder(), initiate({ credential: other }).hello)).toBe(INVALID_CREDENTIAL)
  })

  it('a hello for another bus with the same secret', () => {
    expect(refused(createResponder({ bus: 'till' }), initiate().hello)).toBe(
      'InvalidRequest: This is the bus till, not shop',
    )
  })

  it('a hello with another pattern, and names both', () => {
    const text = "InvalidRequest: The pattern of the bus is isolation, the frontend's is brownfield"
    expect(refused(createResponder(), initiate({ pattern: 'brownfield' }).hello)).toBe(text)
  })

  it('a hello with another version, and names the supported one', () => {
    const { hello } = initiate()
    hello[0] = 2
    expect(refused(createResponder(), hello)).toBe(
      'InvalidRequest: Handshake version 2 is not supported: this instance has 1',
    )
  })

  it('a credential that has expired', () => {
    const expires = new Date(Date.now() + 10_000)
    const expiring = issueCredential(secret, { label: 'main', expires })
    const at = (time: number) => createResponder({ now: () => time })
    expect(at(expires.getTime() - 1).respond(initiate({ credential: expiring }).hello).session).toBeDefined()
    for (const late of [0, 1, 10 ** 12]) {
      const text = refused(at(expires.getTime() + late), initiate({ credential: expiring }).hello)
      expect(text).toBe('Denied: The credential has expired')
    }
  })

  it('a revoked credential, but no other credential of its label', () => {
    const responder = createResponder({ revoked: [getCredentialId(credential)] })
    expect(refused(responder, initiate().hello)).toBe('Denied: The credential was revoked')
    const another = issueCredential(secret, { label: 'main' })
    expect(responder.respond(initiate({ credential: another }).hello).session?.label).toBe('main')
  })

  it('a hello that is too old, or from the future', () => {
    const time = Date.now()
    for (const [offset, isAccepted] of [
      [0, true],
      [29_000, true],
      [-29_000, true],
      [31_000, false],
      [-31_000, false],
      [NaN, false],
    ] as const) {
      const responder = createResponder({ now: () => time + offset })
      const { hello } = initiate()
      if (isAccepted) expect(responder.respond(hello).session).toBeDefined()
      else expect(refused(responder, hello)).toBe(TOO_OLD)
    }
  })

  it('a hello that was used before, as long as its time is valid', () => {
    let now = Date.now()
    const responder = createResponder({ now: () => now })
    const { hello } = initiate()
    expect(responder.respond(hello).session).toBeDefined()
    for (const later of [0, 15_000, 14_000]) {
      now += later
      expect(refused(responder, hello)).toBe('InvalidRequest: The hello was used before')
    }
    now += 60_000
    expect(refused(responder, hello)).toBe(TOO_OLD)
  })

  it('a hello while its replay cache is full', () => {
    const add = vi.spyOn(ReplayCache.prototype, 'add').mockReturnValue(false)
    expect(refused(createResponder(), initiate().hello)).toBe(
      'Overloaded: Too many sessions were opened within a minute',
    )
    // Hellos that are refused for other reasons are not cached.
    expect(refused(createResponder(), initiate({ pattern: 'brownfield' }).hello)).toContain('The pattern of the bus')
    expect(add).toHaveBeenCalledOnce()
    add.mockRestore()
  })

  it('everything if its clock throws, without repeating the error', () => {
    const responder = createResponder({
      now: () => {
        throw new Error('no clock, and a secret')
      },
    })
    expect(refused(responder, initiate().hello)).toBe('InternalError: The hello could not be verified')
  })
})
