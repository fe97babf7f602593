// Refusals with and without a proof of core, and forged ones.
import { BusError } from '@sallyport/protocol/internal/errors'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { initiate, credential, createResponder } from '../../test/long/handshake.js'
import { createBusSecret, issueCredential, getCredentialId } from './credential.js'
import { writeRefusal } from './messages.js'

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
