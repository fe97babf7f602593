// Both ends of one session at a standing clock, for the tests of records.
import { createSessionSecret } from '../src/crypto/key-schedule.js'
import { createOpener, createSealer, type Opener, type OpenerOptions, type Sealer } from '../src/crypto/record.js'

export const session = Buffer.from('a session id, 16')
export const secret = createSessionSecret(Buffer.alloc(32, 1), session)
export const NOW = 1_700_000_000_000

const optionsOf = (over: Partial<OpenerOptions> = {}): OpenerOptions => ({
  secret,
  session,
  direction: 'to core',
  now: () => NOW,
  ...over,
})
export const sealerOf = (over?: Partial<OpenerOptions>): Sealer => createSealer(optionsOf(over))
export const openerOf = (over?: Partial<OpenerOptions>): Opener => createOpener(optionsOf(over))
export const sealed = (body: string | Uint8Array = 'body', over?: Partial<OpenerOptions>): Buffer =>
  Buffer.from(sealerOf(over).seal(1, body, 1))
export const text = (opener: Opener, record: Uint8Array): string => Buffer.from(opener.open(record).body).toString()
