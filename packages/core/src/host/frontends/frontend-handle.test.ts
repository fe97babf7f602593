import { expect, it } from 'vitest'
import { getPollMode } from './frontend-handle.js'

it.each([
  ['brownfield', ['never', 'adaptive', 'adaptive']],
  ['isolation', ['never', 'replies', 'adaptive']],
] as const)('polls in the %s pattern as the number of cores allows', (pattern, modes) => {
  expect([1, 2, 3].map(cores => getPollMode(pattern, cores))).toEqual(modes)
})
