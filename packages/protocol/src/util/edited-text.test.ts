// Files that people edit: what is read, and the place of a mistake.
import { expect, test } from 'vitest'
import { editJson } from '../../../../scripts/odd-inputs.js'
import { rows } from '../../../../scripts/testing.js'
import { decodeText, parseJson } from './edited-text.js'

const CONTENT = { list: [1, -2.5e3, 'a"\\\u00e9\n', true, null, {}], ключ: { a: [[]] } }
const read = (bytes: Uint8Array): unknown => parseJson(decodeText(bytes))

test('each edit of a file is read as it was meant, or refused with its place', () =>
  rows(editJson(JSON.stringify(CONTENT)))((_name, bytes, place) => {
    if (place) expect(() => read(bytes)).toThrow(place)
    else expect(read(bytes)).toEqual(CONTENT)
  }))

test('a mistake is named where it is', () =>
  rows<[string, string]>([
    ['{"a": 1,}', 'line 1, column 9: not JSON: unexpected "}"'],
    ['[1,\n 2,\n]', 'line 3, column 1: not JSON: unexpected "]"'],
    ['{\n  "a": 1\n  "b": 2\n}', 'line 3, column 3: not JSON: unexpected "\\""'],
    ['{\r\n  // why\r\n}', 'line 2, column 3: not JSON: unexpected "/"'],
    ["{'a': 1}", 'line 1, column 2: not JSON: unexpected "\'"'],
    ['{"a": tru}', 'line 1, column 10: not JSON: unexpected "}"'],
    ['{"a": 01}', 'line 1, column 8: not JSON: unexpected "1"'],
    ['[1.]', 'line 1, column 4: not JSON: unexpected "]"'],
    ['[-]', 'line 1, column 3: not JSON: unexpected "]"'],
    ['["\\u12g"]', 'line 1, column 7: not JSON: unexpected "g"'],
    ['{"a": "half', 'line 1, column 12: not JSON: it ends too early'],
    ['["a\tb"]', 'line 1, column 4: not JSON: unexpected "\\t"'],
    ['["\u{1F600}", \u{1F600}]', 'line 1, column 8: not JSON: unexpected "\u{1F600}"'],
    ['{"a": [1, {"b": ', 'line 1, column 17: not JSON: it ends too early'],
    ['', 'line 1, column 1: not JSON: it ends too early'],
    ['\u00a0{}', 'line 1, column 1: not JSON: unexpected "\u00a0"'],
    ['{}}', 'line 1, column 3: not JSON: unexpected "}"'],
  ])((text, message) => expect(() => parseJson(text)).toThrow(new SyntaxError(message))))

test('what is no JSON has a place within its text, and what is JSON is read', () => {
  let seed = 5
  const below = (end: number): number => (seed = (seed * 16_807) % 2_147_483_647) % end
  const text = JSON.stringify(CONTENT, undefined, 1)
  for (let n = 0; n < 5000; n++) {
    const [from, to] = [below(text.length), below(4)]
    const added = Array.from({ length: below(3) }, () => '{}[]",:\\ \n0e-ux'[below(15)]).join('')
    const changed = text.slice(0, from) + added + text.slice(from + to)
    let expected: unknown
    try {
      expected = JSON.parse(changed)
    } catch {
      const [, line, column] = /^line (\d+), column (\d+): not JSON/.exec(String(getError(changed)?.message)) ?? []
      const lines = changed.split('\n')
      expect(Number(column), changed).toBeLessThanOrEqual(lines[Number(line) - 1]!.length + 1)
      continue
    }
    expect(parseJson(changed)).toEqual(expected)
  }
})

function getError(text: string): Error | undefined {
  try {
    parseJson(text)
  } catch (error) {
    return error as Error
  }
  return undefined
}
