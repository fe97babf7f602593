// JSONTestSuite (https://github.com/nst/JSONTestSuite): the codec must read `y_` files and reject `n_` files, and can do either with
// `i_` files. Its only error is ParseError. The suite is read from a directory next to the repository.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { BusError } from '../errors/bus-error.js'
import { IS_NODE } from '#platform'
import { jsonCodec } from './json.js'

const directory = new URL('../../../../../shared/corpora/jsontestsuite/', import.meta.url)
const present = existsSync(directory)
if (!present) console.warn('No ../shared/corpora/jsontestsuite next to the repository: JSON goes without its cases')

const read = (name: string): Uint8Array => new Uint8Array(readFileSync(new URL(name.replace('#', '%23'), directory)))
const listFiles = (name: string, prefix: string): string[] =>
  present
    ? readdirSync(new URL(`${name}/`, directory))
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

/** A codec of Node decodes -0 as 0. */
const parse = (file: string): unknown =>
  JSON.parse(Buffer.from(read(file)).toString('utf8'), (_key, value: unknown) => (IS_NODE && value === 0 ? 0 : value))

const parseError = expect.objectContaining({ reason: 'ParseError', message: expect.stringMatching(/^Parse error: /) })

it(`is ${present ? '' : 'not '}run with ../shared/corpora/jsontestsuite next to the repository`, () => {
  expect(existsSync(directory)).toBe(present)
})

describe.runIf(present)('JSONTestSuite', () => {
  const [valid, invalid, free] = ['y_', 'n_', 'i_'].map(prefix => listFiles('test_parsing', prefix)) as [
    string[],
    string[],
    string[],
  ]

  it('has files of each kind', () =>
    expect([valid.length > 90, invalid.length > 180, free.length > 30]).toEqual([true, true, true]))

  it('reads every valid text', () => rows(valid)(file => expect(outcome(file)).toEqual({ value: parse(file) })))

  it('rejects every invalid text', () =>
    rows(invalid)(file => {
      expect(outcome(file)).toEqual({ error: parseError })
      expect((outcome(file) as { error: unknown }).error).toBeInstanceOf(BusError)
    }))

  it('reads or rejects what the standard leaves open', () =>
    rows([...free, ...listFiles('test_transform', '')])(file => {
      const result = outcome(file)
      if ('error' in result) expect(result.error).toEqual(parseError)
      else expect(result.value).toEqual(parse(file))
    }))
})
