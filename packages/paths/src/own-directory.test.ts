import { expect, test } from 'vitest'
import { rows } from '../../../scripts/testing.js'
import { getOwnName, getOwnRest } from './scope.js'

test('the directory of a label has its name, escaped', () =>
  rows([
    ['acme-x', 'acme-x'],
    ['a/b', 'a%2Fb'],
    ['a:b_c', 'a%3Ab_c'],
    ['Main', '%4Dain'],
    ['con', '%63on'],
    ['node_modules', '%6Eode_modules'],
  ])((label, name) => expect(getOwnName(label)).toBe(name)))

test('labels that differ have directories that differ, even where names have no case', () => {
  const labels = [
    'a',
    'A',
    'a/b',
    'a%2Fb',
    'a-b',
    'x'.repeat(200),
    'X'.repeat(200),
    `${'X'.repeat(199)}Y`,
    'é',
    '\u00C3\u00A9',
  ]
  expect(new Set(labels.map(label => getOwnName(label).toLowerCase())).size).toBe(labels.length)
  for (const label of labels) expect(getOwnName(label).length).toBeLessThan(256)
})

test('the rest of a pattern is what follows $OWN', () =>
  rows([
    ['$OWN', ''],
    ['$OWN/**', '/**'],
    ['$OWNER/**', undefined],
    ['/$OWN', undefined],
    [{ path: '$OWN' }, undefined],
  ])((pattern, rest) => expect(getOwnRest(pattern)).toBe(rest)))
