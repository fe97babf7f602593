import { expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { UsageError } from '@sallyport/protocol/internal/command-line'
import { parseOptions } from './options.js'

const parse = (...args: string[]): ReturnType<typeof parseOptions> => parseOptions(args)

test('takes a program after -- for a comparison', () => {
  expect(parse('--base', 'main', '--', 'node', 'my-bench.mjs', '--filter', 'a')).toEqual({
    ...{
      base: 'main',
      tolerance: 1.05,
      tolerances: {},
      flagOnly: false,
      prepare: null,
      runs: 15,
      moreMs: 30_000,
      cpu: false,
      out: 'bench-compare',
    },
    program: ['node', 'my-bench.mjs', '--filter', 'a'],
  })
})

test('reads a tolerance of one figure, and a check that only flags', () => {
  const args = ['--tolerance', '10%', '--tolerance', 'a = b=25%', '--flag-only']
  expect(parse('--base', 'main', ...args, '--', 'node', 'a.mjs')).toMatchObject({
    ...{ tolerance: 1.1, tolerances: { 'a = b': 1.25 }, flagOnly: true },
  })
})

test('names what is wrong with the options', () =>
  rows([
    [['--', 'node', 'a.mjs'], /Name the base, a git ref or a directory, with --base/],
    [['--base', 'main', '--'], /Name a program after --/],
    [['--base', 'main'], /Name a program after --/],
    [['--base', 'main', '--filter', 'a', '--', 'node', 'a.mjs'], /Unknown option '--filter'/],
    [['--base', 'main', '--runs', '0', '--', 'node', 'a.mjs'], /--runs takes a whole number/],
    [['--base', 'main', '--runs', '7', '--', 'node', 'a.mjs'], /--runs takes a whole number from 8 on/],
    [['--base', 'main', 'node', 'a.mjs'], /Name the program after --, as in: -- node a\.mjs/],
    [['--base', 'main', '--payload', 'a.json'], /Unknown option '--payload'/],
    [['--base', 'main', '--tolerance', 'a=b', '--', 'node'], /--tolerance takes a percentage above 0/],
    [['--base', 'main', '--bse', 'a', '--', 'node'], /Unknown option '--bse' \(did you mean "--base"\?\)/],
  ])((args, message) => {
    expect(() => parse(...args)).toThrow(UsageError)
    expect(() => parse(...args)).toThrow(message)
  }))

test('keeps values that look like numbers as they were written', () => {
  expect(parse('--base', '0123456', '--', 'node', 'a.mjs')).toMatchObject({ base: '0123456' })
})
