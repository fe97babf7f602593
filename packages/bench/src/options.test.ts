import { expect, test } from 'vitest'
import { parseOptions, UsageError } from './options.js'
import { FULL, QUICK } from './plan.js'

const parse = (...args: string[]): ReturnType<typeof parseOptions> => parseOptions(['node', 'sallyport-bench', ...args])

test('the quick plan, everything, into bench-report', () => {
  expect(parse()).toEqual({ plan: QUICK, filter: null, out: 'bench-report', json: false })
})

test('every option', () => {
  expect(parse('--full', '--filter', 'call', '--out', 'there', '--json', '--rounds', '3', '--slot', '20')).toEqual({
    plan: { ...FULL, rounds: 3, slotMs: 20, warmUpMs: 600 },
    filter: 'call',
    out: 'there',
    json: true,
  })
})

test('a filter that looks like a number is a text', () => {
  expect(parse('--filter', '64')?.filter).toBe('64')
})

test.each([
  [['--fast'], /Unknown option `--fast`/],
  [['-x'], /Unknown option `-x`/],
  [['--filter'], /--filter <text>` value is missing/],
  [['now'], /Unused args: `now`/],
  [['--quick', '--full'], /exclude each other/],
  [['--rounds', '0'], /--rounds takes a whole number above 0, not '0'/],
  [['--slot', 'long'], /--slot takes a whole number above 0, not 'long'/],
  [['--filter', 'a', '--filter', 'b'], /--filter can be given once/],
])('%j is a usage error', (args, message) => {
  expect(() => parse(...args)).toThrow(UsageError)
  expect(() => parse(...args)).toThrow(message)
})
