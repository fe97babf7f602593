// JSONTestSuite (https://github.com/nst/JSONTestSuite) through the codec: `y_` is read, `n_` is refused, `i_` either, and
// nothing but a ParseError ever comes out. It is read from beside the repository and not copied into it.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { BusError } from '../errors/bus-error.js'
import { jsonCodec } from './json.js'

const folder = new URL('../../../../../shared/corpora/jsontestsuite/', import.meta.url)
const present = existsSync(folder)
if (!present) console.warn('No ../shared/corpora/jsontestsuite beside the repository: JSON goes without its cases')

const read = (name: string): Uint8Array => new Uint8Array(readFileSync(new URL(name.replace('#', '%23'), folder)))
const filesOf = (name: string, prefix: string): string[] =>
  present
    ? readdirSync(new URL(`${name}/`, folder))
        .filter(file => file.startsWith(prefix))
        .map(file => `${name}/${file}`)
    : []

function outcome(file: string): { value: unknown } | { error: unknown } {
  try {
    return { value: jsonCodec.decode(read(file)) }
  } catch (error) {
    return { error }
  }
}

const parseError = expect.objectContaining({ reason: 'ParseError', message: expect.stringMatching(/^Parse error: /) })

it(`is ${present ? '' : 'not '}run against ../shared/corpora/jsontestsuite beside the repository`, () => {
  expect(existsSync(folder)).toBe(present)
})

describe.runIf(present)('JSONTestSuite', () => {
  const [valid, invalid, free] = ['y_', 'n_', 'i_'].map(prefix => filesOf('test_parsing', prefix)) as [
    string[],
    string[],
    string[],
  ]

  it('is there', () => expect([valid.length > 90, invalid.length > 180, free.length > 30]).toEqual([true, true, true]))

  it.each(valid)('reads %s', file => {
    expect(outcome(file)).toEqual({ value: JSON.parse(Buffer.from(read(file)).toString('utf8')) })
  })

  it.each(invalid)('refuses %s', file => {
    expect(outcome(file)).toEqual({ error: parseError })
    expect((outcome(file) as { error: unknown }).error).toBeInstanceOf(BusError)
  })

  it.each([...free, ...filesOf('test_transform', '')])('reads or refuses %s', file => {
    const result = outcome(file)
    if ('error' in result) expect(result.error).toEqual(parseError)
    else expect(result.value).toEqual(JSON.parse(Buffer.from(read(file)).toString('utf8')))
  })
})
