import { expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { getModes } from './modes.js'

test('a figure is bimodal if its rounds or processes are in two groups', () =>
  rows([
    ['the ring sleeps in some rounds', [[4, 4.2, 18, 4.1, 19, 4, 17.8, 4.1]], [4.1, 18]],
    ['one of four rounds is apart', [[4, 4.2, 4.1, 18]], [4.1, 18]],
    ['its processes differ', [[14, 14.2], [57, 58]], [14.1, 57.5]], // prettier-ignore
  ])((_, processes, modes) => {
    const found = getModes(processes)!.map(value => Math.round(value * 100) / 100)
    expect(found).toEqual(modes)
  }))

test('a figure is not bimodal if its rounds are alike, spread evenly or few', () =>
  rows([
    ['its rounds are alike', [[4, 4.2, 4.1, 4.3]]],
    ['its rounds are spread evenly', [[4, 6, 9, 13, 18, 26, 37]]],
    ['one of sixteen rounds is an outlier', [[...Array.from({ length: 15 }, (_, at) => 4 + at / 100), 18]]],
    ['it has too few rounds', [[4, 18]]],
    ['it is zero', [[0, 0, 0, 5]]],
  ])((_, processes) => expect(getModes(processes)).toBeUndefined()))
