// Both ends of one session with a stopped clock, for the tests of records.
import { createSessionSecret } from '../src/crypto/key-schedule.js'
import { createOpener, createSealer, type Opener, type OpenerOptions, type Sealer } from '../src/crypto/record.js'

export const session = Buffer.from('a session id, 16')
export const secret = createSessionSecret(Buffer.alloc(32, 1), session)
export const NOW = 1_700_000_000_000

const createOptions = (over: Partial<OpenerOptions> = {}): OpenerOptions => ({
  secret,
  session,
  direction: 'to core',
  now: () => NOW,
  ...over,
})
export const createTestSealer = (over?: Partial<OpenerOptions>): Sealer => createSealer(createOptions(over))
export const createTestOpener = (over?: Partial<OpenerOptions>): Opener => createOpener(createOptions(over))
export const sealed = (body: string | Uint8Array = 'body', over?: Partial<OpenerOptions>): Buffer =>
  Buffer.from(createTestSealer(over).seal(1, body, 1))
export const text = (opener: Opener, record: Uint8Array): string => Buffer.from(opener.open(record).body).toString()
