import { expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { FULL, QUICK } from '../run/run.js'
import { UsageError } from '../shared/text.js'
import { parseOptions } from './options.js'

const parse = (...args: string[]): ReturnType<typeof parseOptions> => parseOptions(['node', 'sallyport-bench', ...args])

const options = { plan: QUICK, filter: null, payload: null, lines: false, out: 'bench-report' }

test('measures the main scenarios by the quick plan into bench-report by default', () => {
  expect(parse()).toEqual({ name: 'run', options })
})

test('reads every option', () => {
  const numbers = ['--rounds', '3', '--slot', '20']
  expect(parse('--full', '--filter', 'call', '--out', 'there', '--lines', ...numbers)).toEqual({
    name: 'run',
    options: {
      ...options,
      plan: {
        ...FULL,
        rounds: 3,
        slotMs: 20,
        budgetMs: 0,
      },
      filter: 'call',
      out: 'there',
      lines: true,
    },
  })
})

test('reads the command list', () => {
  expect(parse('list')).toEqual({ name: 'list', options: {} })
})

test('a quick run of a payload ends as soon as its rounds', () => {
  const plan = { ...QUICK, budgetMs: 0 }
  expect(parse('--payload', 'order.json')?.options).toMatchObject({ payload: 'order.json', plan })
})

test('takes a program after -- for a comparison', () => {
  expect(parse('compare', '--base', 'main', '--', 'node', 'my-bench.mjs', '--filter', 'a')).toEqual({
    name: 'compare',
    options: {
      ...{
        base: 'main',
        tolerance: 1.05,
        tolerances: {},
        isExported: false,
        flagOnly: false,
        prepare: null,
        runs: 15,
        cpu: false,
        out: 'bench-compare',
      },
      program: ['node', 'my-bench.mjs', '--filter', 'a'],
    },
  })
})

test('reads a tolerance of one figure, the export, and a check that only flags', () => {
  const args = ['--tolerance', '10%', '--tolerance', 'a = b=25%', '--export', 'github-action-benchmark', '--flag-only']
  expect(parse('compare', '--base', 'main', ...args, '--', 'node', 'a.mjs')?.options).toMatchObject({
    ...{ tolerance: 1.1, tolerances: { 'a = b': 1.25 }, isExported: true, flagOnly: true },
  })
})

test('keeps a filter that looks like a number as text', () => {
  expect(parse('--filter', '64')?.options).toMatchObject({ filter: '64' })
})

test('names what is wrong with the options', () =>
  rows([
    [['--fast'], /Unknown option '--fast'/],
    [['-x'], /Unknown option '-x'/],
    [['--filter'], /'--filter <value>' argument missing/],
    [['comapre'], /Unknown command or argument 'comapre'\. The commands are/],
    [['package.json'], /Did you mean --payload package\.json\?/],
    [['list', 'now'], /Unknown command or argument 'now'\. The commands are: list, compare/],
    [['--fliter', 'a'], /Unknown option '--fliter'\. The options are: --payload --full/],
    [['list', '--slot', '3'], /Unknown option '--slot'/],
    [['list', '--filter', 'a'], /Unknown option '--filter'/],
    [['compare', '--base', 'main', '--'], /Name a program after --/],
    [['--', 'node', 'a.mjs'], /Only compare takes a program/],
    [['compare', '--base', 'main'], /Name a program after --/],
    [['compare', '--base', 'main', '--filter', 'a', '--', 'node', 'a.mjs'], /Unknown option '--filter'/],
    [['compare', '--base', 'main', '--runs', '0', '--', 'node', 'a.mjs'], /--runs takes a whole number/],
    [['compare', '--base', 'main', '--runs', '6', '--', 'node', 'a.mjs'], /--runs takes a whole number from 7 on/],
    [['compare', '--base', 'main', 'node', 'a.mjs'], /Name the program after --, as in: -- node a\.mjs/],
    [['compare', '--base', 'main', '--payload', 'a.json'], /Unknown option '--payload'/],
    [['compare', '--base', 'main', '--tolerance', 'a=b', '--', 'node'], /--tolerance takes a percentage above 0/],
    [['compare', '--base', 'main', '--export', 'csv', '--', 'node'], /--export takes github-action-benchmark/],
    [['--rounds', '0'], /--rounds takes a whole number above 0, not '0'/],
    [['--slot', '1.5'], /--slot takes a whole number above 0, not '1.5'/],
    [['--slot', 'long'], /--slot takes a whole number above 0, not 'long'/],
  ])((args, message) => {
    expect(() => parse(...args)).toThrow(UsageError)
    expect(() => parse(...args)).toThrow(message)
  }))

test('keeps values that look like numbers as they were written', () => {
  expect(parse('--out', '007', '--filter=1e2')?.options).toMatchObject({ out: '007', filter: '1e2' })
  expect(parse('compare', '--base', '0123456', '--', 'node', 'a.mjs')?.options).toMatchObject({ base: '0123456' })
})
