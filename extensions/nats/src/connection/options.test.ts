import { checkSecretOptions } from '@sallyport/core/internal/network'
import { describe, expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { natsOptions } from './options.js'

const servers = 'nats://127.0.0.1:4222'
const getError = (options: unknown): string => {
  try {
    checkSecretOptions('test', natsOptions, options)
    return ''
  } catch (error) {
    return (error as Error).message
  }
}

describe('the options of NATS', () => {
  test('accept the URLs of servers', () =>
    rows([
      servers,
      'tls://nats.example.com',
      'localhost',
      '10.0.0.1:4222',
      'nats://[::1]:4222',
      [['nats://a.example:4222', 'b:4223']],
    ])(value => expect(checkSecretOptions('test', natsOptions, { servers: value })).toEqual({ servers: value })))

  test('reject mistakes, without repeating secrets', () =>
    rows([
      [undefined, 'test: the options are missing'],
      [{}, 'test: servers is missing'],
      [{ servers: [] }, 'servers must be a non-empty array of servers'],
      [{ servers: 'ws://localhost' }, 'servers must be a server: nats://host:port'],
      [{ servers: 'nats://ann:passw0rd@localhost' }, 'with credentials in separate options'],
      [{ servers, pass: 'passw0rd' }, 'with user if it has pass'],
      [{ servers, user: 'ann', token: 'passw0rd' }, 'at most one of user, token, credsFile and nkeySeed'],
      [{ servers, token: 5 }, 'token must be a string'],
      [{ servers, credsFile: 'passw0rd.creds' }, 'credsFile must be an absolute path'],
      [{ servers, tls: { certFile: '/a.pem' } }, 'both or neither of tls.certFile and tls.keyFile'],
      [{ servers, tls: { rejectUnauthorized: false } }, 'unknown option "tls.rejectUnauthorized"'],
    ])((options, text) => {
      expect(getError(options)).toContain(text)
      expect(getError(options)).not.toContain('passw0rd')
    }))
})
