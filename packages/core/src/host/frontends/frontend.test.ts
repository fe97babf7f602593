import { expect, it } from 'vitest'
import { chooseLink, hasCores } from './frontend.js'

it.each([
  ['brownfield', 1, 'port'],
  ['brownfield', 2, 'ring'],
  ['isolation', 2, 'port'],
  ['isolation', 3, 'ring'],
  ['isolation', 64, 'ring'],
] as const)('takes, for %s on %d cores, a %s', (pattern, cores, link) => {
  expect(chooseLink('auto', pattern, cores)).toBe(link)
})

it.each(['ring', 'port'] as const)('takes the %s that was asked for', link => {
  for (const cores of [1, 2, 64]) expect(chooseLink(link, 'isolation', cores)).toBe(link)
})

it('polls where each thread of a call can have a core', () => {
  expect([1, 2, 3].map(cores => hasCores('brownfield', cores))).toEqual([false, true, true])
  expect([1, 2, 3].map(cores => hasCores('isolation', cores))).toEqual([false, false, true])
})
