// The test vectors of docs/internals/nats-protocol.md, computed with this code, and without it from the page's description of the keys.
import { createHash, createHmac, hkdfSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { BusError } from '@sallyport/protocol/internal/errors'
import { expect, it } from 'vitest'
import { createBroadcastKeys, createBroadcast, type Opened, writeHeader } from '../core/broadcast.js'
import { readCredential, writeCredential } from './credential.js'
import { deriveSessionKeys, writeHello, writeProvenRefusal, writeWelcome } from './messages.js'
import { createHandshakeResponder } from './handshake.js'

const page = readFileSync(new URL('../../../../docs/internals/nats-protocol.md', import.meta.url), 'utf8')
const block = /```vector\n([^`]*)```/.exec(page)?.[1] ?? ''
const rows = block.split(/\n(?=\S)/).map(line => /^(\S+)\s+([^]*)$/.exec(line)?.slice(1) ?? [])
const value = Object.fromEntries(rows) as Record<string, string>
const text = (name: string): string => (value[name] ?? '').replaceAll(/\s/g, '')
const hex = (name: string): Buffer => Buffer.from(text(name), 'hex')
const hkdf = (ikm: Buffer, salt: Buffer, ...info: (string | Buffer)[]): Buffer =>
  Buffer.from(hkdfSync('sha256', ikm, salt, Buffer.concat(info.map(part => Buffer.from(part))), 32))
const hmac = (key: Buffer, bytes: Uint8Array): Buffer => createHmac('sha256', key).update(bytes).digest()
const u64 = (number: number): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(number))
  return bytes
}

const secret = Buffer.from(text('secret'), 'base64url')
const [expires, time, sequence] = ['expires', 'time', 'sequence'].map(name => Number(text(name))) as [
  number,
  number,
  number,
]
const claims = { id: hex('id'), label: text('label'), expires }
const [hello, welcome] = [hex('hello'), hex('welcome')]

it('a credential and its key', () => {
  expect(hkdf(secret, hex('id'), `sallyport/1 credential\0${text('label')}\0`, u64(expires))).toEqual(hex('key'))
  expect(writeCredential(secret, claims)).toBe(text('credential'))
  expect(readCredential(text('credential'))).toEqual({ ...claims, key: hex('key') })
})

it('a hello, which the responder accepts', () => {
  const [bus, client] = [text('bus'), text('client')]
  const fields = {
    ...claims,
    bus,
    client,
    time,
    nonce: hex('hello-nonce'),
    pattern: 'isolation',
    codec: 'json',
  } as const
  expect(writeHello(hex('key'), fields)).toEqual(hello)
  const proof = hmac(hkdf(hex('key'), Buffer.alloc(0), 'sallyport/1 hello'), hello.subarray(0, -32))
  expect(proof).toEqual(hello.subarray(-32))
  const responder = createHandshakeResponder({
    secret: text('secret'),
    bus,
    instance: 'any',
    pattern: 'isolation',
    now: () => time,
  })
  expect(responder.respond(hello).session).toMatchObject({ label: 'main', client: 'p1', credential: text('id') })
})

it('a welcome and the keys of its session', () => {
  const body = writeWelcome({ session: hex('session'), nonce: hex('core-nonce'), instance: text('instance') })
  const { keys, proof } = deriveSessionKeys(hex('key'), hello, body, hex('session'))
  expect(Buffer.concat([body, proof])).toEqual(welcome)
  expect([keys.wire, keys.gate].map(key => Buffer.from(key))).toEqual([hex('wire'), hex('gate')])
  const transcript = createHash('sha256').update(hello).update(welcome.subarray(0, -32)).digest()
  const derive = (name: string): Buffer => hkdf(hex('key'), transcript, `sallyport/1 ${name}`)
  expect([derive('wire'), derive('gate')]).toEqual([hex('wire'), hex('gate')])
  expect(hmac(derive('welcome'), body)).toEqual(welcome.subarray(-32))
})

it('a refusal with its proof', () => {
  const refusal = hex('refusal')
  const salt = createHash('sha256').update(hello).digest()
  const proof = hmac(hkdf(hex('key'), salt, 'sallyport/1 refusal'), refusal.subarray(0, -32))
  expect(proof).toEqual(refusal.subarray(-32))
  const error = new BusError('Denied', 'The credential was revoked')
  expect(writeProvenRefusal(hex('key'), hello, error)).toEqual(refusal)
})

it('a broadcast', () => {
  const [bus, subject, sender] = [text('bus'), text('subject'), hex('sender')]
  const key = hkdf(secret, sender, `sallyport/1 broadcast\0${bus}\0${subject}\0`, u64(0))
  expect(key).toEqual(hex('its-key'))
  expect(createBroadcastKeys(secret, sender, bus, subject)(sequence).export()).toEqual(key)
  const header = writeHeader({ sender, sequence, time, instance: text('instance') })
  expect(hex('broadcast').subarray(0, header.length)).toEqual(header)
  const receiver = createBroadcast({ secret: text('secret'), bus, subject, instance: 'other', now: () => time })
  const { plain } = receiver.open(hex('broadcast')) as Opened
  expect(plain).toEqual(Buffer.from(text('plain')))
})
