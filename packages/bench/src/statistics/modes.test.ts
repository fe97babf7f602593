import { expect, test } from 'vitest'
import { getModes } from './modes.js'

test.each([
  ['the ring sleeps in some rounds', [[4, 4.2, 18, 4.1, 19, 4, 17.8, 4.1]], [4.1, 18]],
  ['one of four rounds is apart', [[4, 4.2, 4.1, 18]], [4.1, 18]],
  ['its processes differ', [[14, 14.2], [57, 58]], [14.1, 57.5]], // prettier-ignore
])('a figure is bimodal if %s', (_, processes, modes) => {
  const found = getModes(processes)!.map(value => Math.round(value * 100) / 100)
  expect(found).toEqual(modes)
})

test.each([
  ['its rounds are alike', [[4, 4.2, 4.1, 4.3]]],
  ['its rounds are spread evenly', [[4, 6, 9, 13, 18, 26, 37]]],
  ['one of sixteen rounds is an outlier', [[...Array.from({ length: 15 }, (_, at) => 4 + at / 100), 18]]],
  ['it has too few rounds', [[4, 18]]],
  ['it is zero', [[0, 0, 0, 5]]],
])('a figure is not bimodal if %s', (_, processes) => {
  expect(getModes(processes)).toBeUndefined()
})
