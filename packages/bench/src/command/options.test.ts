import { UsageError } from '@sallyport/protocol/internal/command-line'
import { expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { FULL, QUICK } from '../run/run.js'
import { parseOptions } from './options.js'

const parse = (...args: string[]): ReturnType<typeof parseOptions> => parseOptions(args)

const options = { plan: QUICK, filter: null, payload: null, lines: false, all: false, out: 'bench-report' }

test('measures the main scenarios by the quick plan into bench-report by default', () => {
  expect(parse()).toEqual({ name: 'run', options })
})

test('reads every option', () => {
  const numbers = ['--rounds', '3', '--slot', '20']
  expect(parse('--full', '--filter', 'call', '--out', 'there', '--lines', '--all', ...numbers)).toEqual({
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
      all: true,
    },
  })
})

test('reads the command list', () => {
  expect(parse('list')).toEqual({ name: 'list' })
})

test('a quick run of a payload ends as soon as its rounds', () => {
  const plan = { ...QUICK, budgetMs: 0 }
  expect(parse('--payload', 'order.json')).toMatchObject({ options: { payload: 'order.json', plan } })
})

test('keeps a filter that looks like a number as text', () => {
  expect(parse('--filter', '64')).toMatchObject({ options: { filter: '64' } })
})

test('names what is wrong with the options', () =>
  rows([
    [['--fast'], /Unknown option '--fast'/],
    [['-x'], /Unknown option '-x'/],
    [['--filter'], /'--filter <value>' argument missing/],
    [['lits'], /Unknown command 'lits' \(did you mean "list"\?\)/],
    [['package.json'], /Did you mean --payload package\.json\?/],
    [['list', 'now'], /Unknown argument 'now'\. Run sallyport-bench list --help/],
    [['--fliter', 'a'], /Unknown option '--fliter' \(did you mean "--filter"\?\)/],
    [['list', '--slot', '3'], /Unknown option '--slot'/],
    [['list', '--filter', 'a'], /Unknown option '--filter'/],
    [['--', 'node', 'a.mjs'], /Unknown command 'node'/],
    [['--rounds', '0'], /--rounds takes a whole number from 1 on, not '0'/],
    [['--slot', '-1'], /--slot takes a whole number from 1 on, not '-1'/],
    [['--slot', '1.5'], /--slot takes a whole number from 1 on, not '1.5'/],
    [['--slot', 'long'], /--slot takes a whole number from 1 on, not 'long'/],
  ])((args, message) => {
    expect(() => parse(...args)).toThrow(UsageError)
    expect(() => parse(...args)).toThrow(message)
  }))

test('keeps values that look like numbers as they were written', () => {
  expect(parse('--out', '007', '--filter=1e2')).toMatchObject({ options: { out: '007', filter: '1e2' } })
})
