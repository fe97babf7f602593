// The list of hosts that a frontend reaches.
import { expect, test } from 'vitest'
import { HostList, parseAuthority, parseHostPattern } from './host-list.js'

const allows = (entry: string, authority: string): boolean =>
  new HostList([entry]).allows(parseAuthority(authority, 443)!)

test.each([
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
])('%s allows %s', (entry, authority) => {
  expect(allows(entry, authority)).toBe(true)
})

test.each([
  ['api.github.com', 'api.github.com:8443'],
  ['api.github.com', 'evil-api.github.com'],
  ['api.github.com', 'api.github.com.evil.example'],
  ['*.npmjs.org', 'npmjs.org'],
  ['*.npmjs.org', 'evilnpmjs.org'],
  ['*.npmjs.org:443', 'api.npmjs.org:80'],
])('%s does not allow %s', (entry, authority) => {
  expect(allows(entry, authority)).toBe(false)
})

test.each(['', 'a b', 'http://a', 'a/b', 'a.*', '*a', 'a:0', 'a:65536', 'u@a', 'a:b', '[::1', 'a?', 'a#b', 'a\\b'])(
  'the entry %j is invalid',
  entry => {
    expect(parseHostPattern(entry)).toBeUndefined()
  },
)

test.each(['', 'user@a', 'user:pass@a', 'a/b', 'a?b', 'a#b', 'a\\b', 'a b', 'a:0', 'a:99999', 'a:b:c', 'a\r\nb'])(
  'the authority %j is invalid',
  authority => {
    expect(parseAuthority(authority, 443)).toBeUndefined()
  },
)

test.each([
  ['127.0.0.1', '127.0.0.1', true],
  ['localhost', 'localhost', true],
  ['*', '127.0.0.1', false],
  ['a.example', 'a.example', false],
  ['a.localhost', 'a.localhost', false],
])('%s names the address %s: %j', (entry, hostname, isNamed) => {
  expect(new HostList([entry]).namesAddress({ hostname, port: 80 })).toBe(isNamed)
})

test.each([
  [['a.example'], 'a.example', true],
  [['a.example:443'], 'a.example', true],
  [['*.example'], 'a.example', true],
  [['*.example'], '*.a.example', true],
  [['a.example:8443'], 'a.example', false],
  [['a.example'], '*.example', false],
  [['a.example'], 'b.example', false],
  [['a.example:443'], 'a.example:*', false],
])('the list %j covers %s: %j', (list, entry, isCovered) => {
  expect(new HostList(list).covers(entry)).toBe(isCovered)
})
