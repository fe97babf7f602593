// Test vectors of Project Wycheproof, known attacks and edge cases, for AES-256-GCM and HKDF-SHA256. They are read from a directory
// next to the repository.
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { createCipher, createDecipher, decrypt, encrypt, hkdfSha256, importKey, TAG_BYTES } from './record.js'

interface AeadVector {
  tcId: number
  comment: string
  key: string
  iv: string
  aad: string
  msg: string
  ct: string
  tag: string
  result: 'valid' | 'invalid'
}

interface HkdfVector {
  tcId: number
  comment: string
  ikm: string
  salt: string
  info: string
  size: number
  okm: string
  result: 'valid' | 'invalid'
}

interface Vectors<T> {
  testGroups: { ivSize?: number; keySize: number; tagSize?: number; tests: T[] }[]
}

const directory = new URL('../../../../../shared/corpora/wycheproof/', import.meta.url)
const present = existsSync(directory)
if (!present)
  console.warn('No ../shared/corpora/wycheproof next to the repository: AES-GCM and HKDF go without its vectors')

const hex = (text: string): Buffer => Buffer.from(text, 'hex')
const read = <T>(name: string): Vectors<T> => JSON.parse(readFileSync(new URL(name, directory), 'utf8')) as Vectors<T>
const named = <T extends { tcId: number; comment: string }>(tests: T[]): [string, T][] =>
  tests.map(test => [`${test.tcId} ${test.comment}`, test])

it(`is ${present ? '' : 'not '}run with ../shared/corpora/wycheproof next to the repository`, () => {
  expect(existsSync(directory)).toBe(present)
})

describe.runIf(present)('AES-256-GCM (Wycheproof)', () => {
  const groups = present ? read<AeadVector>('aes_gcm_test.json').testGroups : []
  const ours = groups.filter(group => group.ivSize === 96 && group.keySize === 256 && group.tagSize === 128)
  const tests = ours.flatMap(group => group.tests)

  it('has vectors with nonces and tags of our sizes', () => expect(tests.length).toBeGreaterThan(60))

  it('encrypts, decrypts or refuses as each vector says', () =>
    rows(named(tests))((_name, test) => {
      const key = importKey(hex(test.key))
      const [iv, aad, msg, ct, tag] = [hex(test.iv), hex(test.aad), hex(test.msg), hex(test.ct), hex(test.tag)]
      if (test.result === 'valid') {
        const out = Buffer.alloc(msg.length + TAG_BYTES)
        encrypt(createCipher(key, iv), aad, [msg], out)
        expect(out.toString('hex')).toBe(test.ct + test.tag)
        out.set(msg)
        encrypt(createCipher(key, iv), aad, [out.subarray(0, msg.length)], out)
        expect(out.toString('hex'), 'in place').toBe(test.ct + test.tag)
        expect(Buffer.concat(decrypt(createDecipher(key, iv), aad, [ct], tag))).toEqual(msg)
      } else expect(() => decrypt(createDecipher(key, iv), aad, [ct], tag)).toThrow()
    }))
})

describe.runIf(present)('HKDF-SHA256 (Wycheproof)', () => {
  const tests = present ? read<HkdfVector>('hkdf_sha256_test.json').testGroups.flatMap(group => group.tests) : []

  it('has vectors', () => expect(tests.length).toBeGreaterThan(80))

  it('encrypts, decrypts or refuses as each vector says', () =>
    rows(named(tests))((_name, test) => {
      const derive = (): Uint8Array => hkdfSha256(hex(test.ikm), hex(test.salt), hex(test.info), test.size)
      if (test.result === 'valid') expect(Buffer.from(derive()).toString('hex')).toBe(test.okm)
      else expect(derive).toThrow()
    }))
})

describe('encrypt and decrypt', () => {
  const key = importKey(Buffer.alloc(32, 1))
  const [nonce, additional] = [Buffer.alloc(12, 2), Buffer.from('header')]

  it('return the same for bytes in one part or two', () =>
    rows([1, 131_071, 131_072, 131_073, 300_000])(size => {
      const plain = Buffer.from(Array.from({ length: size }, (_, i) => i * 7))
      const [onePart, twoParts] = [Buffer.alloc(size + TAG_BYTES), Buffer.alloc(size + TAG_BYTES)]
      encrypt(createCipher(key, nonce), additional, [plain], onePart)
      encrypt(createCipher(key, nonce), additional, [plain.subarray(0, 1), plain.subarray(1)], twoParts)
      expect(onePart.equals(twoParts)).toBe(true)
      const [first, rest] = decrypt(
        createDecipher(key, nonce),
        additional,
        [onePart.subarray(0, 1), onePart.subarray(1, size)],
        onePart.subarray(size),
      )
      expect(Buffer.concat([first ?? '', rest ?? ''].map(part => Buffer.from(part))).equals(plain)).toBe(true)
    }))

  it('reject a short tag, which Node accepts by default', () =>
    rows([4, 8, 12, 13, 14, 15])(size => {
      const out = Buffer.alloc(3 + TAG_BYTES)
      encrypt(createCipher(key, nonce), additional, [Buffer.from('abc')], out)
      expect(() =>
        decrypt(createDecipher(key, nonce), additional, [out.subarray(0, 3)], out.subarray(3, 3 + size)),
      ).toThrow()
    }))

  it('reject a key of another length', () =>
    rows([0, 16, 24, 31, 33])(size => expect(() => importKey(Buffer.alloc(size))).toThrow('32 bytes')))
})
