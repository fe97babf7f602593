// What functions of a program can answer, and how files can be edited: each function that decides, and each file that people edit, is tried with all.

function reject(): Promise<never> {
  const rejected = Promise.reject(new Error('no'))
  // Those that expect no promise do not wait for it.
  rejected.catch(() => {})
  return rejected
}

/** What is no yes, whatever it looks like. */
export const ODD_ANSWERS: readonly (readonly [name: string, answer: () => unknown])[] = [
  ["'no'", () => 'no'],
  ["'false'", () => 'false'],
  ["'true'", () => 'true'],
  ['0', () => 0],
  ['1', () => 1],
  ['NaN', () => NaN],
  ['1n', () => 1n],
  ['nothing', () => undefined],
  ['null', () => null],
  ['{}', () => ({})],
  ['[]', () => []],
  ['[true]', () => [true]],
  ['{ allowed: false }', () => ({ allowed: false })],
  ['{ issues: [] }', () => ({ issues: [] })],
  ['a Boolean', () => Object(true)],
  ['an error', () => new Error('no')],
  ['a function', () => () => true],
  ['a symbol', () => Symbol('no')],
  ['a proxy', () => new Proxy({}, { get: (_target, key) => key !== 'then' })],
  ["a promise of 'no'", () => Promise.resolve('no')],
  ['a rejected promise', reject],
  [
    'what it throws',
    () => {
      throw new Error('no')
    },
  ],
]

const BOM = '\uFEFF'

/** Returns ways in which people and editors change a JSON file with an array, and the place of the mistake in those that nothing can read. */
export const editJson = (json: string): readonly (readonly [name: string, bytes: Buffer, place?: RegExp])[] => {
  const text = JSON.stringify(JSON.parse(json), undefined, 2)
  const lines = text.split('\n')
  const last = lines.length - 1
  const edit = (edited: string): Buffer => Buffer.from(edited)
  return [
    ['a byte order mark', edit(BOM + text)],
    ['CRLF', edit(text.replaceAll('\n', '\r\n'))],
    ['a mark and CRLF', edit(BOM + text.replaceAll('\n', '\r\n'))],
    ['spaces and empty lines', edit(`\n\n  ${text.replaceAll('\n', '\n\n\t')}\n\n`)],
    [
      'a comma too many',
      edit(text.replace(/\n}$/, ',\n}')),
      new RegExp(`(?:line |:)${last + 1}(?:, column |:)1: not JSON`),
    ],
    ['half of it', edit(text.slice(0, text.length / 2)), /(?:line |:)\d+(?:, column |:)\d+: not JSON/],
    ['all but its end', edit(text.slice(0, -1)), new RegExp(`(?:line |:)${last + 1}(?:, column |:)1: not JSON`)],
    ['nothing', edit(''), /(?:line |:)1(?:, column |:)1: not JSON/],
    ['two files', edit(text + text), new RegExp(`(?:line |:)${last + 1}(?:, column |:)2: not JSON`)],
    ['UTF-16', Buffer.from(BOM + text, 'utf16le'), /utf-8/i],
    ['half a character', Buffer.concat([edit(text), Buffer.from([0xc3])]), /utf-8/i],
  ]
}
