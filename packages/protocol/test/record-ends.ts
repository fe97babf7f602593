// Both ends of one session, for the tests of records.
import {
  createOpener,
  createSealer,
  createSessionSecret,
  type KeyScheduleOptions,
  type Opener,
  type Sealer,
} from '../src/crypto/record.js'

export const session = Buffer.from('a session id, 16')
export const secret = createSessionSecret(Buffer.alloc(32, 1), session)

const createOptions = (over: Partial<KeyScheduleOptions> = {}): KeyScheduleOptions => ({
  secret,
  session,
  direction: 'to core',
  ...over,
})
export const createTestSealer = (over?: Partial<KeyScheduleOptions>): Sealer => createSealer(createOptions(over))
export const createTestOpener = (over?: Partial<KeyScheduleOptions>): Opener => createOpener(createOptions(over))
export const sealed = (body: string | Uint8Array = 'body', over?: Partial<KeyScheduleOptions>): Buffer =>
  Buffer.from(createTestSealer(over).seal(1, body, 1))
export const text = (opener: Opener, record: Uint8Array): string => Buffer.from(opener.open(record).body).toString()
