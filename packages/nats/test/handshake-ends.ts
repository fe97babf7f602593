// Both ends of the handshake at one clock, for the tests of it.
import { issueCredential, createBusSecret } from '../src/handshake/credential.js'
import { initiateHandshake } from '../src/handshake/initiator.js'
import { createHandshakeResponder } from '../src/handshake/responder.js'
import type { HandshakeResponder, HandshakeResponderOptions } from '../src/handshake/responder.js'
import type { HandshakeInitiator, HandshakeOptions } from '../src/handshake/initiator.js'
import { readRefusal } from '../src/handshake/messages.js'

export const secret: string = createBusSecret()
export const credential: string = issueCredential(secret, { label: 'main' })

export const doorOf = (over: Partial<HandshakeResponderOptions> = {}): HandshakeResponder =>
  createHandshakeResponder({ secret, bus: 'shop', instance: 'core-1', pattern: 'isolation', ...over })

export const begin = (over: Partial<HandshakeOptions> = {}): HandshakeInitiator =>
  initiateHandshake({ credential, bus: 'shop', client: 'p1', pattern: 'isolation', codec: 'json', ...over })

/** Reason and text of the refusal. A session, or an answer that is none, is an error. */
export function refused(door: HandshakeResponder, hello: Uint8Array): string {
  const { welcome, session } = door.answer(hello)
  const error = readRefusal(welcome)
  if (session || !error) throw new Error('The hello was not refused')
  return `${error.reason}: ${error.message}`
}
