import { expect, it } from 'vitest'
import { chooseLink } from './choose-link.js'

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
