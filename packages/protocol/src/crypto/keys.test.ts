// The key schedule alone: when a key begins, and that only counting advances it.
import { describe, expect, it } from 'vitest'
import { createKeySchedule, createSessionSecret, type KeyScheduleOptions } from './record.js'

const session = Buffer.alloc(16, 7)
const secret = createSessionSecret(Buffer.alloc(32, 9), session)
const options: KeyScheduleOptions = { secret, session, direction: 'to core' }

function schedule(over: Partial<KeyScheduleOptions> = {}): () => string[] {
  const { next, advance } = createKeySchedule({ ...options, ...over })
  return () => {
    const { key, nonce, epoch, sequence } = next()
    advance(1)
    return [key.export().toString('hex'), Buffer.from(nonce).toString('hex'), `${epoch}:${sequence}`]
  }
}

describe('createSessionSecret', () => {
  it('derives a different secret for each session and each master', () => {
    const masters = [Buffer.alloc(32, 1), Buffer.alloc(32, 2), Buffer.alloc(33, 1)]
    const sessions = [Buffer.alloc(16, 1), Buffer.alloc(16, 2)]
    const secrets = masters.flatMap(m => sessions.map(s => Buffer.from(createSessionSecret(m, s)).toString('hex')))
    expect(new Set(secrets).size).toBe(6)
    expect(secrets.every(text => text.length === 64)).toBe(true)
  })

  it('rejects short input', () => {
    expect(() => createSessionSecret(Buffer.alloc(31), session)).toThrow('at least 32 bytes')
    expect(() => createSessionSecret(Buffer.alloc(32), Buffer.alloc(15))).toThrow('16 bytes')
  })
})

describe('createKeySchedule', () => {
  it('derives a different key and IV for each secret, session, direction and epoch', () => {
    const first = [
      schedule(),
      schedule({ secret: Buffer.alloc(32, 8) }),
      schedule({ session: Buffer.alloc(16, 8) }),
      schedule({ direction: 'from core' }),
      schedule({ direction: '' }),
      schedule({ direction: 'to core\0\0\0\0\0' }),
      schedule({ epoch: 1 }),
      schedule({ epoch: 256 }),
    ].map(next => next())
    expect(new Set(first.map(([key]) => key)).size).toBe(first.length)
    expect(new Set(first.map(([, nonce]) => nonce)).size).toBe(first.length)
  })

  it('never uses a nonce twice with one key', () => {
    const next = schedule({ limits: { records: 300 } })
    const used = Array.from({ length: 1000 }, () => next().slice(0, 2).join())
    expect(new Set(used).size).toBe(1000)
  })

  it('begins an epoch after 2^23 records', () => {
    const { next, advance } = createKeySchedule(options)
    for (let i = 1; i < 2 ** 23; i++) advance(1)
    expect(next()).toMatchObject({ epoch: 0, sequence: 2 ** 23 - 1 })
    advance(1)
    expect(next()).toMatchObject({ epoch: 1, sequence: 0 })
    expect(next(), 'asking is not counting').toMatchObject({ epoch: 1, sequence: 0 })
  })

  it('begins an epoch after 2^36 bytes', () => {
    const { next, advance } = createKeySchedule(options)
    advance(2 ** 36 - 1)
    expect(next()).toMatchObject({ epoch: 0, sequence: 1 })
    advance(1)
    expect(next()).toMatchObject({ epoch: 1, sequence: 0 })
    advance(2 ** 36 - 1)
    expect(next(), 'each epoch counts its own bytes').toMatchObject({ epoch: 1, sequence: 1 })
  })

  it('throws after the last epoch instead of wrapping around', () => {
    const next = schedule({ epoch: 2 ** 32 - 2, limits: { records: 2 } })
    const places = Array.from({ length: 4 }, () => next()[2])
    expect(places).toEqual(['4294967294:0', '4294967294:1', '4294967295:0', '4294967295:1'])
    expect(next).toThrow('used up')
    expect(next).toThrow('used up')
  })

  it('rejects a secret or session of another length', () => {
    expect(() => createKeySchedule({ ...options, secret: secret.subarray(1) })).toThrow('32 bytes')
    expect(() => createKeySchedule({ ...options, session: Buffer.alloc(17) })).toThrow('16 bytes')
  })

  it('copies the secret and the session', () => {
    const [secretCopy, sessionCopy] = [Buffer.from(secret), Buffer.from(session)]
    const next = schedule({ secret: secretCopy, session: sessionCopy, limits: { records: 1 } })
    secretCopy.fill(0)
    sessionCopy.fill(0)
    const other = schedule({ limits: { records: 1 } })
    expect([next(), next()]).toEqual([other(), other()])
  })
})
