// The calls of test/guests/fuzz.test.ts, in greater number.
import { expect, test } from 'vitest'
import { fuzz, NAMES } from '../../guests/fuzz.js'
import { rows } from '../../../../../scripts/testing.js'

const CALLS = 100_000

test('100,000 calls of each plugin with wrong types are answered, and core lives', { timeout: 11 * 900_000 }, () =>
  rows(NAMES)(async name => {
    const seed = Math.trunc(Math.random() * 1e9)
    console.log(`seed ${seed}`)
    expect(await fuzz(name, CALLS, seed)).toEqual({ unhandled: [], mistakes: [], settled: CALLS, lives: true })
  }),
)
