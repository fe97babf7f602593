// The text form of secrets and credentials: typing errors are detected, and no error repeats a secret.
import { BusError } from '@sallyport/protocol/internal/errors'
import { FREE_LABEL_RULE } from '@sallyport/protocol/internal/message'
import { describe, expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import {
  createBusSecret,
  type CredentialOptions,
  issueCredential,
  readBusSecret,
  readCredential,
  getCredentialId,
} from './credential.js'

const secret = createBusSecret()
const issue = (options: unknown): string => issueCredential(secret, options as CredentialOptions)

describe('issueCredential', () => {
  it('returns a credential for a label', () =>
    rows(['main', 'a', 'x'.repeat(200), 'team/worker-1:a_b'])(label => {
      const expires = new Date('9999-01-01')
      expect(readCredential(issue({ label }))).toMatchObject({ label, expires: 0 })
      expect(readCredential(issue({ label, expires }))).toMatchObject({ label, expires: expires.getTime() })
    }))

  it('returns a different credential and a different random id each time', () => {
    const all = Array.from({ length: 20 }, () => issue({ label: 'main' }))
    const ids = all.map(getCredentialId)
    expect(new Set([...all, ...ids]).size).toBe(40)
    expect(ids.every(id => /^[0-9a-f]{32}$/.test(id))).toBe(true)
  })

  it('rejects wrong options', () =>
    rows([
      [undefined, 'label must be a label of 1 to 200 letters, digits, "-", "/", ":" and "_"'],
      [{ label: 'a b' }, 'label must be a label of 1 to 200 letters, digits, "-", "/", ":" and "_", such as "a-b"'],
      [
        { label: 'x'.repeat(201) },
        `label must be a label of 1 to 200 letters, digits, "-", "/", ":" and "_", such as "${'x'.repeat(200)}"`,
      ],
      [{ label: 'core' }, `label must be ${FREE_LABEL_RULE}`],
      [{ label: 'constructor' }, `label must be ${FREE_LABEL_RULE}`],
      [{ label: 'main', expires: 5 }, 'expires must be a Date in the future'],
      [{ label: 'main', expires: new Date(NaN) }, 'expires must be a Date in the future'],
      [{ label: 'main', expires: new Date(0) }, 'expires must be a Date in the future'],
      [{ label: 'main', expire: new Date() }, 'unknown option "expire" (did you mean "expires"?)'],
    ])((options, text) =>
      expect(() => issue(options)).toThrow(new BusError('InvalidParams', `issueCredential: ${text}`)),
    ))
})

describe('a credential', () => {
  it('is invalid with any typing error, and the error does not repeat it', () => {
    const credential = issue({ label: 'main' })
    for (let at = 0; at < credential.length; at++) {
      const mistyped = `${credential.slice(0, at)}${credential[at] === 'A' ? 'B' : 'A'}${credential.slice(at + 1)}`
      for (const text of [mistyped, credential.slice(0, at), credential.slice(0, at) + credential.slice(at + 1)]) {
        let error: unknown
        try {
          getCredentialId(text)
        } catch (caught) {
          error = caught
        }
        expect(error).toMatchObject({
          reason: 'InvalidParams',
          message: 'Invalid credential: it must be a complete "sallyport1.…" from issueCredential',
          data: undefined,
        })
      }
    }
  })

  it('cannot be anything else', () =>
    rows([undefined, null, 5, '', 'sallyport1.', `sallyport2.${'A'.repeat(90)}`, secret])(value =>
      expect(() => getCredentialId(value as string)).toThrow('Invalid credential'),
    ))

  it('is invalid with white space around it', () => {
    const credential = issue({ label: 'main' })
    for (const text of [` ${credential}`, `${credential}\n`])
      expect(() => getCredentialId(text)).toThrow('Invalid credential')
  })
})

describe('the secret of a bus', () => {
  it('can be base64url of 32 bytes or more', () => {
    expect(readBusSecret(secret).byteLength).toBe(32)
    expect(readBusSecret(Buffer.alloc(64, 0xfe).toString('base64url')).byteLength).toBe(64)
  })

  it('cannot be anything else, which the error does not repeat', () =>
    rows([
      undefined,
      5,
      '',
      'secret',
      'x'.repeat(42),
      `${secret}=`,
      ` ${secret}`,
      Buffer.alloc(32, 0xfe).toString('base64'),
    ])(value => {
      let error: unknown
      try {
        issueCredential(value as string, { label: 'main' })
      } catch (caught) {
        error = caught
      }
      expect(error).toMatchObject({
        reason: 'InvalidParams',
        message: 'The secret of a bus must be base64url of at least 32 random bytes. Create one with createBusSecret()',
      })
    }))
})
