// URL patterns against URLs: the examples of Tauri's own documentation, spellings that avoid a pattern, and the cost of a hostile URL.
import { describe, expect, test } from 'vitest'
import { parseUrlPattern, UrlScope } from './url-scope.js'
import { rows } from '../../../../scripts/testing.js'

const allows = (pattern: string, url: string): boolean => new UrlScope([pattern]).allows(new URL(url))

test('a pattern has a host of at most 253 characters, and 63 in a label', () =>
  rows([
    ['a'.repeat(63), true],
    ['a'.repeat(64), false],
    [`*.${'例'.repeat(63)}`, true],
    [`*.${'例'.repeat(64)}`, false],
    ['*.a'.repeat(127), false],
  ])((host, isValid) => {
    const parse = (): unknown => parseUrlPattern(`http://${host}/`)
    if (isValid) parse()
    else expect(parse).toThrow('is not a valid URL pattern')
  }))

test('a pattern allows and refuses URLs as Tauri does', () =>
  rows<[pattern: string, allowed: string[], refused: string[]]>([
    [
      'http://localhost:8080',
      ['http://localhost:8080', 'http://localhost:8080/file', 'http://localhost:8080/path/list?limit=50'],
      ['https://localhost:8080', 'http://localhost:8081', 'http://local:8080'],
    ],
    [
      'http://localhost:8080/file.png',
      ['http://localhost:8080/file.png', 'http://localhost:8080/file.png?q=1'],
      ['http://localhost:8080', 'http://localhost:8080/file', 'http://localhost:8080/file.png/other.jpg'],
    ],
    [
      'http://localhost:8080/*.png',
      ['http://localhost:8080/file.png#head', 'http://localhost:8080/assets/file.png?width=100&height=200'],
      ['http://localhost:8080/file.jpeg'],
    ],
    ['http://*', ['http://something.else#tauri', 'http://a.b/c?d'], ['https://something.else', 'http://a.b:81']],
    ['http://*/*', ['http://something.else', 'http://a.b/c'], ['http://a.b:81']],
    ['http://*:*/*', ['http://a.b:81', 'http://a.b'], ['https://a.b']],
    ['*://*', ['http://a.b/c', 'https://a.b?x=1#frag', 'file://path/to/file'], ['http://a.b:81']],
    ['https://tauri.app/path?x=*', ['https://tauri.app/path?x=5'], ['https://tauri.app/path?y=5']],
    ['https://tauri.app/path#frame*', ['https://tauri.app/path#frame'], ['https://tauri.app/path#work']],
    ['https://*.a.com/*', ['https://x.y.a.com/'], ['https://a.com/', 'https://evila.com/']],
    [
      'https://a.com',
      ['https://a.com./', 'https://A.COM/x', 'https://a.com:443/'],
      ['https://a.com:444/', 'https://a.com.evil.org/'],
    ],
    ['http://[::1]:8080/*', ['http://[0:0::1]:8080/a'], ['http://[::2]:8080/a', 'http://[::1]/a']],
    ['http://127.0.0.1:1/*', ['http://0x7f.1:1/', 'http://①②⑦.0.0.1:1/'], ['http://127.0.0.2:1/']],
    ['https://bücher.de', ['https://xn--bcher-kva.de/', 'https://bücher.de/x'], ['https://bucher.de/']],
    ['https://*.bücher.de', ['https://www.xn--bcher-kva.de/'], ['https://bücher.de/']],
    ['https://a.com/ü b/*', ['https://a.com/%C3%BC%20b/c', 'https://a.com/ü b/'], ['https://a.com/u b/']],
    [
      'https://a.com/public/*',
      ['https://a.com/public/x', 'https://a.com/public/a%2Fb'],
      ['https://a.com/public/..%2fadmin', 'https://a.com/public/%2e%2e/admin', 'https://a.com/public/..%5cadmin'],
    ],
    ['https://a.com/a%2Fb', ['https://a.com/a%2Fb', 'https://a.com/a%2fb'].slice(0, 1), ['https://a.com/a/b']],
    ['https://a.com/**', ['https://a.com/x/y'], []],
    ['https://*.a.com?x=1', ['https://b.a.com/?x=1'], ['https://b.a.com/?x=2']],
    ['https://*#x', ['https://a.com/#x'], ['https://a.com/#y']],
    ['https://a.com/*\\?x=1', ['https://a.com/p?x=1'], ['https://a.com/p?x=2']],
    ['https://a.com/a\\+b\\:c', ['https://a.com/a+b:c'], ['https://a.com/aab:c']],
  ])((pattern, allowed, refused) => {
    for (const url of allowed) expect(allows(pattern, url), url).toBe(true)
    for (const url of refused) expect(allows(pattern, url), url).toBe(false)
  }))

test('other patterns are refused', () =>
  rows([
    ...[
      'http{s}?://a.com/*',
      'https://(a|b).com',
      'https://a.com/:id',
      'https://:sub.a.com',
      'https://a.com/(\\d+)',
      'https://a.com/{a,b}',
    ],
    ...[
      'https://a.com/a+',
      'https://a.com/*?x=1',
      'https://*?x=1',
      'https://a.com/x?a?b',
      'https://user:pass@a.com/*',
      '*',
      '/path',
      'a.com',
    ],
    ...[
      'https://',
      'https://a.com:b/',
      'https://a b.com',
      'https://a.com/../b',
      'https://a.com/%2e%2e/b',
      'https://a.com/\\',
      'https://[::1',
      'https://*.a/b:c',
    ],
  ])(pattern => {
    expect(() => parseUrlPattern(pattern)).toThrow(`\`${pattern}\` is not a valid URL pattern. `)
  }))

test('an error says how to mend the pattern', () =>
  rows([
    ['a.com', 'Begin it with a scheme'],
    ['-https://a.com', 'Begin it with a scheme'],
    ['https://user@a.com', 'Remove the credentials'],
    ['https://a.com*?x=1', 'Write "/" before "?"'],
    ['https://a.com:b/', 'Use one host'],
    ['https://a.com/\\', 'Remove the "\\" at its end'],
    ['https://a.com/*?x=1', 'Write "\\?" for a search'],
    ['https://a.com/./b', 'Remove the "." and ".." segments'],
  ])((pattern, remedy) => expect(() => parseUrlPattern(pattern)).toThrow(remedy)))

test('an entry is a pattern, or has one', () =>
  rows([undefined, null, 1, [], {}, { url: 1 }, { path: 'https://a.com' }])(entry => {
    expect(() => parseUrlPattern(entry)).toThrow('an entry must be a URL pattern')
  }))

describe('a denial', () => {
  const scope = new UrlScope(
    ['https://*', { url: 'https://*:*/*' }],
    [{ url: 'https://a.com/admin/*' }, 'https://private.org'],
  )

  test('wins over every pattern that allows', () => {
    expect(scope.allows(new URL('https://a.com/user'))).toBe(true)
    expect(scope.allows(new URL('https://a.com/admin/user'))).toBe(false)
  })

  test('is avoided by no other spelling', () =>
    rows([
      'https://a.com./admin/x',
      'https://a.com../admin/x',
      'https://a.com//admin/x',
      'https://a.com/%2fadmin//x',
      'https://a.com/%61dmin/x',
      'https://a.com/admin%2Fx',
      'https://a.com/x/..%2fadmin/x',
      'https://a.com/admin/x#y',
      'https://PRIVATE.org:443/',
    ])(url => expect(scope.allows(new URL(url))).toBe(false)))
})

test('a scope without patterns allows nothing', () => {
  expect(new UrlScope([]).allows(new URL('https://a.com'))).toBe(false)
})

test('only a host without wildcards names an address', () => {
  const names = (pattern: string, url: string): boolean => new UrlScope([pattern]).namesAddress(new URL(url))
  expect(names('http://127.0.0.1:*', 'http://127.1:80/')).toBe(true)
  expect(names('http://[::1]', 'http://[::1]/')).toBe(true)
  expect(names('http://localhost', 'http://localhost./')).toBe(true)
  expect(names('http://localhost', 'http://localhost../')).toBe(true)
  expect(names('http://*', 'http://127.0.0.1/')).toBe(false)
  expect(names('http://127.0.0.*', 'http://127.0.0.1/')).toBe(false)
  expect(names('http://db.internal', 'http://db.internal/')).toBe(false)
})

test('a long URL costs as many comparisons as it has characters, whatever the wildcards', () => {
  const scope = new UrlScope(Array.from({ length: 10 }, () => 'https://a.com/*a*a*a*a*b'))
  const url = new URL(`https://a.com/${'a'.repeat(65_536)}`)
  // The library that Tauri's own patterns come from needs minutes for one of these.
  for (let round = 0; round < 100; round++) expect(scope.allows(url)).toBe(false)
})
