import { expect, onTestFinished, test, vi } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { parseForeignUrl } from './foreign-url.js'

const LABEL = 'a'.repeat(63)
/** A name of as many characters as DNS allows. */
const LONGEST = [LABEL, LABEL, LABEL, 'b'.repeat(61)].join('.')
const CJK = String.fromCodePoint(...Array.from({ length: 300 }, (_, at) => 0x4e00 + at))
const MARKS = `a${'\u0301\u0316'.repeat(5000)}`

test('a host has at most 253 characters, and 63 in a label', () =>
  rows([
    [LONGEST, true],
    [`${LONGEST}b`, false],
    [LABEL, true],
    [`${LABEL}a`, false],
    [`x.${LABEL}a.y`, false],
    [encodeURIComponent('例'.repeat(63)), true],
    [encodeURIComponent('例'.repeat(64)), false],
    [`${'例'.repeat(40)}\u3002${'例'.repeat(40)}`, true],
    ['%61'.repeat(63), true],
    ['%61'.repeat(64), false],
    [`${LABEL}%2e${LABEL}`, true],
  ])((host, isAllowed) => expect(parseForeignUrl(`http://${host}/`) !== undefined, host).toBe(isAllowed)))

test('a long host is refused before a parser sees it, however a URL hides it', () => {
  const long = [CJK, MARKS, encodeURIComponent(CJK), `a.${CJK}.b`, `xn--${'a'.repeat(300)}`]
  const forms = [
    ...[
      'http://X',
      'HTTPS://X/path',
      'ws:X',
      'wss:/X',
      'ftp:///X',
      'http:\\\\X\\a',
      'http:/\\/X?a#b',
      'http://X:80',
      'http://X:x',
    ],
    ...[
      'http://user:secret@X',
      'http://a@b@X',
      'http://X@X',
      'h\tt\nt\rp:/\n/\tX',
      ' \0http://X',
      '\u001fhttp:X',
      'http:////////X',
    ],
    ...['file://X', 'file://X@a/', 'file://X:1/', 'file:\\\\X', 'blob:http://X', ' blob: http://X', 'BLOB:http://X'],
  ]
  const parser = vi.spyOn(URL, 'canParse')
  onTestFinished(() => parser.mockRestore())
  for (const host of long)
    for (const form of forms)
      expect(parseForeignUrl(form.replaceAll('X', host)), `${form} ${host}`.slice(0, 80)).toBeUndefined()
  for (const form of ['//X', '\\\\X/a', '/\\X', ' /\t/X'])
    for (const host of long) expect(parseForeignUrl(form.replaceAll('X', host), 'http://a/'), form).toBeUndefined()
  expect(parseForeignUrl('/a', `http://${CJK}/`)).toBeUndefined()
  expect(parser).not.toHaveBeenCalled()
})

test('whatever else is long in a URL is not a host', () => {
  const text = CJK.repeat(3)
  const forms = [
    ...[
      'http://a/X',
      'http://a\\X',
      'http://a?X',
      'http://a#//X',
      'http://X@a/',
      'file:///X',
      'file:X',
      'data:,//X',
      'mailto:X@a',
    ],
    ...[
      'foo:X',
      'foo:/X',
      'foo://a/X',
      'blob:http://a/X',
      'blob:blob:http://X',
      'http://a/http://X',
      `http://a:${'0'.repeat(300)}80/`,
    ],
  ]
  for (const form of forms) {
    const url = form.replaceAll('X', text)
    expect(parseForeignUrl(url)?.href, form).toBe(new URL(url).href)
  }
  for (const form of ['X', '/X', '?X', '#//X', './/X']) {
    const url = form.replaceAll('X', text)
    expect(parseForeignUrl(url, 'http://a/b')?.href, form).toBe(new URL(url, 'http://a/b').href)
  }
  expect(parseForeignUrl('http://[::1]:80/')?.host).toBe('[::1]')
  for (const invalid of ['', 'a', 'http://', 'http://a b', 'http://%', 'http://a:x'])
    expect(parseForeignUrl(invalid)).toBeUndefined()
})
