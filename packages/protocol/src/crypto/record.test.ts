// Round trips of records, the change of keys at both ends, and the test vector of docs/internals/records.md. Rejections are tested in
// record-attacks.test.ts.
import crypto, { createDecipheriv, hkdfSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { createTestOpener, createTestSealer, sealed, text } from '../../test/record-ends.js'
import { RECORD_HEADROOM } from '../wire/link.js'
import { createSealer, createSessionSecret } from './record.js'

const units = fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 300 })
const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'binary-ascii' }),
  units.map(codes => String.fromCharCode(...codes)), // lone surrogates too
)
const anyBody = fc.oneof(anyText, fc.uint8Array({ maxLength: 500 }))
const u8 = fc.integer({ min: 0, max: 0xff })
const u32 = fc.integer({ min: 0, max: 0xffffffff })

describe('a record', () => {
  it('preserves any kind, body and count', () => {
    const [sealer, opener] = [createTestSealer(), createTestOpener()]
    fc.assert(
      fc.property(u8, anyBody, u32, (kind, body, count) => {
        const opened = opener.open(sealer.seal(kind, body, count))
        expect(opened).toMatchObject({ kind, count })
        expect(Buffer.from(opened.body).equals(Buffer.from(body as string))).toBe(true)
      }),
      { numRuns: 500 },
    )
  })

  it('preserves bytes and strings of any length', () =>
    rows([0, 1, 65_535, 65_536, 65_537, 131_072, 1_000_003])(size => {
      const [sealer, opener] = [createTestSealer(), createTestOpener()]
      const bytes = Buffer.from(Array.from({ length: size }, (_, i) => (i * 31) & 0x7f))
      const wide = `${bytes.toString('latin1')}é漢😀`
      expect(bytes.equals(opener.open(sealer.seal(1, bytes, 1)).body)).toBe(true)
      expect(text(opener, sealer.seal(1, bytes.toString('latin1'), 1)) === bytes.toString('latin1')).toBe(true)
      expect(text(opener, sealer.seal(1, wide, 1)) === wide).toBe(true)
    }))

  it('does not change the given body', () => {
    const body = Buffer.from('the caller keeps this')
    sealed(body)
    expect(body.toString()).toBe('the caller keeps this')
  })

  it('is alone in its buffer, after one zero byte', () =>
    rows(['short', 'x'.repeat(100_000), 'é'])(body => {
      const record = createTestSealer().seal(1, body, 1)
      expect(record.byteOffset).toBe(RECORD_HEADROOM)
      expect(record.buffer.byteLength).toBe(RECORD_HEADROOM + record.byteLength)
      expect(new Uint8Array(record.buffer)[0]).toBe(0)
      expect(record.byteLength).toBe(53 + Buffer.byteLength(body))
    }))

  it('does not reveal its body, nor that two bodies are equal', () => {
    const sealer = createTestSealer()
    const [first, second] = [sealer.seal(1, 'a secret', 1), sealer.seal(1, 'a secret', 1)].map(record =>
      Buffer.from(record),
    )
    expect(first?.includes('secret')).toBe(false)
    expect(first?.subarray(36)).not.toEqual(second?.subarray(36))
  })

  it('has a cipher that was made once the thread had nothing else to do', async () => {
    // Earlier tests have sealers, too.
    await new Promise(setImmediate)
    const made = vi.spyOn(crypto, 'createCipheriv')
    syncBuiltinESMExports()
    try {
      const sealer = createTestSealer()
      for (const [records, ciphers] of [
        [2, 2],
        [3, 5],
      ] as const) {
        for (let i = 0; i < records; i++) sealer.seal(1, '', 1)
        expect(made).toHaveBeenCalledTimes(ciphers)
        await new Promise(setImmediate)
        expect(made).toHaveBeenCalledTimes(ciphers + 1)
      }
    } finally {
      made.mockRestore()
      syncBuiltinESMExports()
    }
  })

  it('cannot have a kind that is not a byte', () =>
    rows([-1, 256, 1.5, NaN])(kind => expect(() => createTestSealer().seal(kind, '', 1)).toThrow('u8')))
  it('cannot have a count that is not a number of 32 bits', () =>
    rows([-1, 2 ** 32, 1.5, NaN])(count => expect(() => createTestSealer().seal(1, '', count)).toThrow('u32')))
})

describe('a new epoch', () => {
  const readEpoch = (record: Uint8Array): number => Buffer.from(record).readUInt32BE(8)
  const readSequence = (record: Uint8Array): number => Buffer.from(record).readUInt32BE(12)

  it('begins at both ends after the same record, by its limit of records or of bytes', () => {
    const limits = fc.record({ records: fc.integer({ min: 1, max: 5 }), bytes: fc.integer({ min: 1, max: 200 }) })
    fc.assert(
      fc.property(limits, fc.array(anyBody, { maxLength: 20 }), (epochLimits, bodies) => {
        const [sealer, opener] = [createTestSealer({ limits: epochLimits }), createTestOpener({ limits: epochLimits })]
        let [epoch, sequence, bytes] = [0, 0, 0]
        for (const body of bodies) {
          if (sequence >= epochLimits.records || bytes >= epochLimits.bytes)
            [epoch, sequence, bytes] = [epoch + 1, 0, 0]
          const record = sealer.seal(1, body, 1)
          expect([readEpoch(record), readSequence(record)]).toEqual([epoch, sequence])
          expect(Buffer.from(opener.open(record).body).equals(Buffer.from(body as string))).toBe(true)
          sequence += 1
          bytes += Buffer.byteLength(body) + 1
        }
      }),
    )
  })
})

it('sealer and opener expose no key', () => {
  const [sealer, opener] = [createTestSealer(), createTestOpener()]
  expect([...Reflect.ownKeys(sealer), ...Reflect.ownKeys(opener)]).toEqual(['seal', 'open'])
  const shown = inspect([sealer, opener], { showHidden: true, depth: null })
  expect(shown).not.toMatch(/KeyObject|Uint8Array|Buffer/)
})

it('matches the test vector in docs/internals/records.md', () => {
  const page = readFileSync(new URL('../../../../docs/internals/records.md', import.meta.url), 'utf8')
  const block = /```vector\n([^`]*)```/.exec(page)?.[1] ?? ''
  const value = Object.fromEntries(block.split(/\n(?=\S)/).map(line => /^(\S+)\s+([^]*)$/.exec(line)?.slice(1) ?? []))
  const hex = (name: string): Buffer => Buffer.from((value[name] ?? '').replaceAll(/\s/g, ''), 'hex')
  const [master, id, direction, body] = [hex('master'), hex('session'), value.direction, value.body]
  const info = (label: string): string => `sallyport/1 record ${label}\0${direction}\0\0\0\0\0`

  const derived = createSessionSecret(master, id)
  expect(hex('secret')).toEqual(Buffer.from(hkdfSync('sha256', master, id, 'sallyport/1 session', 32)))
  expect(hex('secret')).toEqual(Buffer.from(derived))
  expect(hex('key')).toEqual(Buffer.from(hkdfSync('sha256', derived, id, info('key'), 32)))
  expect(hex('iv')).toEqual(Buffer.from(hkdfSync('sha256', derived, id, info('iv'), 12)))

  const sealer = createSealer({ secret: derived, session: id, direction: direction ?? '' })
  sealer.seal(1, 'the first', 1)
  const record = hex('record')
  expect(Buffer.from(sealer.seal(1, body ?? '', 1))).toEqual(record)

  const nonce = hex('iv')
  nonce[11] = (nonce[11] ?? 0) ^ 1
  const decipher = createDecipheriv('aes-256-gcm', hex('key'), nonce, { authTagLength: 16 })
  decipher.setAAD(record.subarray(0, 36)).setAuthTag(record.subarray(-16))
  expect(decipher.update(record.subarray(36, -16), undefined, 'utf8') + decipher.final('utf8')).toBe(`\x01${body}`)
})
