// The calls of test/guests/fuzz.test.ts, in greater number.
import { expect, test } from 'vitest'
import { fuzz, NAMES } from '../../guests/fuzz.js'

const CALLS = 100_000

test.each(NAMES)(
  '100,000 calls of %s with wrong types are answered, and core lives',
  { timeout: 900_000 },
  async name => {
    const seed = Math.trunc(Math.random() * 1e9)
    console.log(`seed ${seed}`)
    expect(await fuzz(name, CALLS, seed)).toEqual({ unhandled: [], mistakes: [], settled: CALLS, lives: true })
  },
)
