import { expect, it } from 'vitest'
import { rows } from '../../../../../scripts/testing.js'
import { getPollMode } from './frontend.js'

it('polls as the pattern and the number of cores allow', () =>
  rows([
    ['brownfield', ['never', 'adaptive', 'adaptive']],
    ['isolation', ['never', 'replies', 'adaptive']],
  ] as const)((pattern, modes) => expect([1, 2, 3].map(cores => getPollMode(pattern, cores))).toEqual(modes)))
