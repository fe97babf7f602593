// Refusals: which of them prove that core has given them, and what others can make of that.
import { BusError } from '@sallyport/protocol'
import { expect, test } from 'vitest'
import { begin, credential, doorOf } from '../../test/handshake-ends.js'
import { createBusSecret, issueCredential, revocableId } from './credential.js'
import { writeRefusal } from './messages.js'

const revoking = doorOf({ revoked: [revocableId(credential)] })

test.each([
  ['a revoked credential', revoking, /revoked/],
  ['another pattern', doorOf({ pattern: 'brownfield' }), /pattern/],
  ['another bus', doorOf({ bus: 'other' }), /bus other/],
])('proven, as its holder may know: %s', (_name, door, text) => {
  const handshake = begin()
  const { welcome, session } = door.answer(handshake.hello)
  expect(session).toBeUndefined()
  expect(handshake.refusal(welcome)?.message).toMatch(text)
  expect(() => handshake.finish(welcome)).toThrow(text)
})

test('proven: a credential that has expired', () => {
  const secret = createBusSecret()
  const expires = new Date(Date.now() + 1e6)
  const handshake = begin({ credential: issueCredential(secret, { label: 'main', expires }) })
  const { welcome } = doorOf({ secret, now: () => Date.now() + 2e6 }).answer(handshake.hello)
  expect(handshake.refusal(welcome)).toMatchObject({ reason: 'Denied', message: 'The credential has expired' })
})

test.each([
  ['a credential of another bus', () => doorOf({ secret: createBusSecret() })],
  ['clocks apart', () => doorOf({ now: () => Date.now() + 60_000 })],
])('proves nothing, or nothing that lasts: %s', (_name, door) => {
  const handshake = begin()
  const { welcome } = door().answer(handshake.hello)
  expect(handshake.refusal(welcome)).toBeUndefined()
  expect(() => handshake.finish(welcome)).toThrow(BusError)
})

test('a hello that was played before its own proves nothing against its sender', () => {
  const [door, handshake] = [doorOf(), begin()]
  door.answer(handshake.hello)
  expect(handshake.refusal(door.answer(handshake.hello).welcome)).toBeUndefined()
})

test('what others make of it is none: of another hello, changed anywhere, made up', () => {
  const [one, other] = [begin(), begin()]
  const { welcome } = revoking.answer(one.hello)
  expect(other.refusal(welcome)).toBeUndefined()
  for (let at = 0; at < welcome.length; at++) {
    const changed = Uint8Array.from(welcome)
    changed[at]! ^= 1
    expect(one.refusal(changed)).toBeUndefined()
    expect(one.refusal(welcome.subarray(0, at))).toBeUndefined()
  }
  const madeUp = writeRefusal(new BusError('Denied', 'The credential was revoked, and some text for its proof'))
  expect(one.refusal(madeUp)).toBeUndefined()
  madeUp[1] = 4
  expect(one.refusal(madeUp)).toBeUndefined()
  expect(one.refusal(doorOf().answer(one.hello).welcome)).toBeUndefined()
})
