// Mistakes in where NATS is and how it is entered are named, and secrets among them are not repeated.
import { checkSecretOptions } from '@sallyport/core/network'
import { describe, expect, test } from 'vitest'
import { natsOptions } from './options.js'

const servers = 'nats://127.0.0.1:4222'
const reasonOf = (given: unknown): string => {
  try {
    checkSecretOptions('test', natsOptions, given)
    return ''
  } catch (error) {
    return (error as Error).message
  }
}

describe('options of NATS', () => {
  test.each([
    servers,
    'tls://nats.example.com',
    'localhost',
    '10.0.0.1:4222',
    'nats://[::1]:4222',
    ['nats://a.example:4222', 'b:4223'],
  ])('take %s', given =>
    expect(checkSecretOptions('test', natsOptions, { servers: given })).toEqual({ servers: given }),
  )

  test.each([
    [undefined, 'test: the options are missing'],
    [{}, 'test: servers is missing'],
    [{ servers: [] }, 'servers must be a list of one server or more'],
    [{ servers: 'ws://localhost' }, 'servers must be a server: nats://host:port'],
    [{ servers: 'nats://ann:passw0rd@localhost' }, 'with credentials in options of their own'],
    [{ servers, pass: 'passw0rd' }, 'with user where it has pass'],
    [{ servers, user: 'ann', token: 'passw0rd' }, 'no more than one of user, token, credsFile and nkeySeed'],
    [{ servers, token: 5 }, 'token must be a text'],
    [{ servers, credsFile: 'passw0rd.creds' }, 'credsFile must be an absolute path'],
    [{ servers, tls: { certFile: '/a.pem' } }, 'with both of tls.certFile and tls.keyFile'],
    [{ servers, tls: { rejectUnauthorized: false } }, 'unknown option "tls.rejectUnauthorized"'],
  ])('are refused: %j', (given, text) => {
    expect(reasonOf(given)).toContain(text)
    expect(reasonOf(given)).not.toContain('passw0rd')
  })
})
