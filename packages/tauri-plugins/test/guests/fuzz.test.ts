import { expect, test } from 'vitest'
import { fuzz, NAMES } from './fuzz.js'

test.each(NAMES)('calls of %s with wrong types are answered, and core lives', async name => {
  expect(await fuzz(name, 500, 1)).toEqual({ unhandled: [], mistakes: [], settled: 500, lives: true })
})
