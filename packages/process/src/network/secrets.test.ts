// Where the value of a secret is put, and where its placeholder must not go.
import { expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { checkSecrets, createSecrets, getPlaceholders, SecretHeaders } from './secrets.js'

const secrets = createSecrets({
  TOKEN: { value: 'the value', hosts: ['api.example.com'] },
  OTHER: { value: '$& of another', hosts: ['*.example.org:8443'] },
})
const { TOKEN, OTHER } = getPlaceholders(secrets) as { TOKEN: string; OTHER: string }
const headers = new SecretHeaders(secrets)
const target = { hostname: 'api.example.com', port: 443 }

test('a placeholder is refused in each place of a request to a host that is not its own, or without encryption', () =>
  rows<[string, string | undefined, Record<string, string | string[]>, string, typeof target, boolean]>([
    ['a header', undefined, { authorization: `Bearer ${TOKEN}` }, '/', target, true],
    ['no encryption', 'TOKEN', { authorization: `Bearer ${TOKEN}` }, '/', target, false],
    ['another host', 'TOKEN', { authorization: TOKEN }, '/', { ...target, hostname: 'example.com' }, true],
    ['another port', 'TOKEN', { authorization: TOKEN }, '/', { ...target, port: 8443 }, true],
    ['a header of several values', 'TOKEN', { cookie: ['a=b', `c=${TOKEN}`] }, '/', target, false],
    ['a path', 'TOKEN', {}, `/?token=${TOKEN}`, target, false],
    ['the secret of another host beside its own', 'OTHER', { a: TOKEN, b: OTHER }, '/', target, true],
    ['nothing', undefined, { authorization: 'Bearer x' }, '/', target, false],
  ])((_name, misplaced, fields, path, to, isEncrypted) =>
    expect(headers.findMisplaced(fields, path, to, isEncrypted)).toBe(misplaced),
  ))

test('the value replaces each placeholder of each header, as it is', () => {
  const sent = { authorization: `${TOKEN}:${TOKEN}`, cookie: ['a=b', `c=${OTHER}`], accept: '*/*' }
  expect(headers.fill(sent, 1000)).toEqual({
    authorization: 'the value:the value',
    cookie: ['a=b', 'c=$& of another'],
    accept: '*/*',
  })
})

test('a head may have as many characters as one that arrives, with its secrets', () => {
  const long = createSecrets({ LONG: { value: 'x'.repeat(4096), hosts: ['a.example'] } })
  const { LONG } = getPlaceholders(long) as { LONG: string }
  expect(new SecretHeaders(long).fill({ a: `${LONG}${LONG}` }, 8192)).toEqual({ a: 'x'.repeat(8192) })
  expect(new SecretHeaders(long).fill({ a: [LONG, LONG] }, 8191)).toBeUndefined()
})

test('the hosts of a secret must be listed', () =>
  rows<[string | undefined, Parameters<typeof checkSecrets>[1]]>([
    [undefined, { net: ['a.example', 'b.example'], secrets: { S: { value: 'v', hosts: ['b.example', 'a.example'] } } }],
    [undefined, { net: true }],
    ['a.example', { net: true, secrets: { S: { value: 'v', hosts: ['a.example'] } } }],
    ['c.example', { net: ['a.example'], secrets: { S: { value: 'v', hosts: ['a.example', 'c.example'] } } }],
  ])((missing, options) => {
    const check = () => checkSecrets('box', options)
    if (missing === undefined) expect(check).not.toThrow()
    else expect(check).toThrow(`box.secrets.S.hosts must be hosts of "net": add "${missing}" to that list`)
  }))

test('no two starts have the same placeholder', () => {
  const [again] = createSecrets({ TOKEN: { value: 'the value', hosts: ['api.example.com'] } })
  expect(again!.placeholder).not.toBe(TOKEN)
})
