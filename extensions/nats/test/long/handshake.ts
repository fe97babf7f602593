// Both ends of the handshake, with one clock.
import { createBusSecret, issueCredential } from '../../src/handshake/credential.js'
import { type HandshakeInitiator, type HandshakeOptions, initiateHandshake } from '../../src/handshake/handshake.js'
import { readRefusal } from '../../src/handshake/messages.js'
import {
  createHandshakeResponder,
  type HandshakeResponder,
  type HandshakeResponderOptions,
} from '../../src/handshake/handshake.js'

export const secret: string = createBusSecret()
export const credential: string = issueCredential(secret, { label: 'main' })

export const createResponder = (options: Partial<HandshakeResponderOptions> = {}): HandshakeResponder =>
  createHandshakeResponder({ secret, bus: 'shop', instance: 'core-1', pattern: 'isolation', ...options })

export const initiate = (options: Partial<HandshakeOptions> = {}): HandshakeInitiator =>
  initiateHandshake({ credential, bus: 'shop', client: 'p1', pattern: 'isolation', codec: 'json', ...options })

/** Returns the reason and text of a refusal. @throws if the hello is not refused */
export function refused(responder: HandshakeResponder, hello: Uint8Array): string {
  const { answer, session } = responder.respond(hello)
  const error = readRefusal(answer)
  if (session || !error) throw new Error('The hello was not refused')
  return `${error.reason}: ${error.message}`
}
