import { expect, test } from 'vitest'
import { fuzz, NAMES } from './fuzz.js'
import { rows } from '../../../../scripts/testing.js'

test('calls of each plugin with wrong types are answered, and core lives', () =>
  rows(NAMES)(async name => {
    expect(await fuzz(name, 500, 1)).toEqual({ unhandled: [], mistakes: [], settled: 500, lives: true })
  }))
