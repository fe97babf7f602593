// Published test vectors of AES-256-GCM and HKDF-SHA256, included here so that every checkout runs them. Those of Wycheproof, which
// search for mistakes, are in aead.test.ts.
import { describe, expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { createCipher, createDecipher, decrypt, encrypt, hkdfSha256, importKey, TAG_BYTES } from './record.js'

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex')

const KEY = 'feffe9928665731c6d6a8f9467308308 feffe9928665731c6d6a8f9467308308'
const IV = 'cafebabefacedbaddecaf888'
const PLAIN = `d9313225f88406e5a55909c5aff5269a 86a7a9531534f7da2e4c303d8a318a72
  1c3c0c95956809532fcf0e2449a6b525 b16aedf5aa0de657ba637b391aafd255`
const CIPHER = `522dc1f099567d07f47f37a32a84427d 643a8cdcbfe5c0c97598a2bd2555d1aa
  8cb08e48590dbb3da7b08b1056828838 c5f61e6393ba7a0abcc9f662898015ad`

/** McGrew and Viega, The Galois/Counter Mode of Operation (GCM), appendix B: the cases of 256-bit keys and 96-bit IVs. */
const GCM = [
  ['13', '00'.repeat(32), '00'.repeat(12), '', '', '', '530f8afbc74536b9a963b4f1c4cb738b'],
  [
    '14',
    '00'.repeat(32),
    '00'.repeat(12),
    '',
    '00'.repeat(16),
    'cea7403d4d606b6e074ec5d3baf39d18',
    'd0d1c8a799996bf0265b98b5d48ab919',
  ],
  ['15', KEY, IV, '', PLAIN, CIPHER, 'b094dac5d93471bdec1a502270e3cc6c'],
  [
    '16',
    KEY,
    IV,
    'feedfacedeadbeeffeedfacedeadbeefabaddad2',
    PLAIN.slice(0, -8),
    CIPHER.slice(0, -8),
    '76fc6ece0f4e1768cddf8853bb2d551b',
  ],
] as const

describe('AES-256-GCM', () => {
  it('passes the test cases of its authors', () =>
    rows(GCM)((_number, key, iv, aad, plain, cipher, tag) => {
      const [imported, nonce, additional] = [importKey(hex(key)), hex(iv), hex(aad)]
      const out = Buffer.alloc(hex(plain).length + TAG_BYTES)
      encrypt(createCipher(imported, nonce), additional, [hex(plain)], out)
      expect(out.toString('hex')).toBe(hex(cipher + tag).toString('hex'))
      expect(Buffer.concat(decrypt(createDecipher(imported, nonce), additional, [hex(cipher)], hex(tag)))).toEqual(
        hex(plain),
      )
      for (let bit = 0; bit < 128; bit++) {
        const wrong = hex(tag)
        wrong[bit >> 3]! ^= 1 << (bit & 7)
        expect(() => decrypt(createDecipher(imported, nonce), additional, [hex(cipher)], wrong)).toThrow()
      }
    }))
})

const upwards = (from: number, count: number): string =>
  Buffer.from(Array.from({ length: count }, (_, i) => from + i)).toString('hex')

/** RFC 5869, appendix A.1 to A.3. */
const HKDF = [
  [
    'A.1',
    '0b'.repeat(22),
    upwards(0x00, 13),
    upwards(0xf0, 10),
    '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
  ],
  [
    'A.2',
    upwards(0x00, 80),
    upwards(0x60, 80),
    upwards(0xb0, 80),
    `b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09
     da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87`,
  ],
  [
    'A.3',
    '0b'.repeat(22),
    '',
    '',
    '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8',
  ],
] as const

describe('HKDF-SHA256', () => {
  it('passes the test cases of RFC 5869', () =>
    rows(HKDF)((_number, ikm, salt, info, okm) => {
      const derived = hkdfSha256(hex(ikm), hex(salt), hex(info), hex(okm).length)
      expect(Buffer.from(derived).toString('hex')).toBe(hex(okm).toString('hex'))
    }))
})
