import { expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { getMovement } from './movement.js'

test('a figure moved if its halves differ, in all rounds', () =>
  rows([
    ['each round of one half is beyond each round of the other', [[304, 297, 112, 109]], 300.5 / 110.5],
    ['it became slower', [[100, 110, 200, 220]], 2],
    ['the halves are two processes', [[100, 110], [200, 220]], 2], // prettier-ignore
  ])((_, processes, factor) => expect(getMovement(processes)).toBe(factor)))

test('a figure did not move if its halves overlap, differ little or are small', () =>
  rows([
    ['one round of each half is alike', [[109, 297, 112, 304]]],
    ['the halves differ by less than the limit', [[130, 125, 112, 109]]],
    ['there are fewer than two rounds in a half', [[304, 109]]],
    ['later rounds are like the last of the first half', [[304, 297, 112, 109, 108, 111, 110, 109]]],
  ])((_, processes) => expect(getMovement(processes)).toBe(1)))
