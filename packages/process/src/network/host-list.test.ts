// The list of hosts that a frontend reaches.
import { expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { HostList, parseAuthority, parseHostPattern } from './host-list.js'

/** As long as DNS allows. */
const LABEL = 'a'.repeat(63)
/** Longer than DNS allows: a label, a name, and what takes long to map. */
const LONG = [
  `${LABEL}a`,
  `${LABEL}.`.repeat(4),
  encodeURIComponent('\u4e01\u4e02'.repeat(32)),
  `a${'\u0301\u0316'.repeat(32)}`,
]

const allows = (entry: string, authority: string): boolean =>
  new HostList([entry]).allows(parseAuthority(authority, 443)!)

test('an entry allows its host and port', () =>
  rows([
    ['api.github.com', 'api.github.com'],
    ['api.github.com', 'API.GitHub.com.'],
    ['api.github.com', 'api.github.com:80'],
    ['api.github.com:8443', 'api.github.com:8443'],
    ['*.npmjs.org:443', 'api.npmjs.org'],
    ['*.npmjs.org', 'a.b.npmjs.org'],
    ['*', 'any.example'],
    ['*:*', 'any.example:22'],
    ['127.0.0.1:*', '2130706433:9'],
    ['[::1]:8080', '[0:0::1]:8080'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['*:*', `${LABEL}.${LABEL}:9`],
    [`${LABEL}.example`, `${LABEL}.example`],
  ])((entry, authority) => expect(allows(entry, authority)).toBe(true)))

test('an entry does not allow other hosts and ports', () =>
  rows([
    ['api.github.com', 'api.github.com:8443'],
    ['api.github.com', 'evil-api.github.com'],
    ['api.github.com', 'api.github.com.evil.example'],
    ['*.npmjs.org', 'npmjs.org'],
    ['*.npmjs.org', 'evilnpmjs.org'],
    ['*.npmjs.org:443', 'api.npmjs.org:80'],
  ])((entry, authority) => expect(allows(entry, authority)).toBe(false)))

test('what is no host is an invalid entry', () =>
  rows([
    '',
    'a b',
    'http://a',
    'a/b',
    'a.*',
    '*a',
    'a:0',
    'a:65536',
    'u@a',
    'a:b',
    '[::1',
    'a?',
    'a#b',
    'a\\b',
    ...LONG,
  ])(entry => expect(parseHostPattern(entry)).toBeUndefined()))

test('what is no host and port is an invalid authority', () =>
  rows(['', 'user@a', 'user:pass@a', 'a/b', 'a?b', 'a#b', 'a\\b', 'a b', 'a:0', 'a:99999', 'a:b:c', 'a\r\nb', ...LONG])(
    authority => expect(parseAuthority(authority, 443)).toBeUndefined(),
  ))

test('only an entry of the address itself names it', () =>
  rows([
    ['127.0.0.1', '127.0.0.1', true],
    ['localhost', 'localhost', true],
    ['*', '127.0.0.1', false],
    ['a.example', 'a.example', false],
    ['a.localhost', 'a.localhost', false],
  ])((entry, hostname, isNamed) => expect(new HostList([entry]).namesAddress({ hostname, port: 80 })).toBe(isNamed)))

test('a list covers entries that allow no more than its own', () =>
  rows([
    [['a.example'], 'a.example', true],
    [['a.example:443'], 'a.example', true],
    [['*.example'], 'a.example', true],
    [['*.example'], '*.a.example', true],
    [['a.example:8443'], 'a.example', false],
    [['a.example'], '*.example', false],
    [['a.example'], 'b.example', false],
    [['a.example:443'], 'a.example:*', false],
  ])((list, entry, isCovered) => expect(new HostList(list).covers(entry)).toBe(isCovered)))
