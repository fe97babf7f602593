import { expect, test } from 'vitest'
import { rows } from '../../../scripts/testing.js'
import { type CommandSet, readCommandLine, readNumber, UsageError } from './command-line.js'

const SET: CommandSet = {
  name: 'bus',
  version: '0.1.0',
  commands: {
    '': { usage: '[options]', about: 'measure', options: { slot: ['ms', 'Length'] }, notes: 'Exit codes: 0 success' },
    wrap: { usage: '-- <program>', about: 'start a program', notes: 'Exit codes: 0 success', program: true },
  },
}

test('takes a negative number as the value of an option', () => {
  expect(readCommandLine(SET, ['--slot', '-1'])).toMatchObject({ values: { slot: ['-1'] } })
})

test('keeps the arguments of a program after --', () => {
  const program = ['node', 'a.mjs', '--help']
  expect(readCommandLine(SET, ['wrap', '--', ...program])).toMatchObject({ command: 'wrap', program })
})

test('says what is wrong in one line, and where the help is', () =>
  rows<[args: string[], message: string]>([
    [['warp'], 'Unknown command \'warp\' (did you mean "wrap"?). Run bus --help'],
    [['help', 'warp'], 'Unknown command \'warp\' (did you mean "wrap"?). Run bus --help'],
    [['wrap', 'now'], "Unknown argument 'now'. The program comes after --. Run bus wrap --help"],
    [['--', 'node'], "Unknown command 'node'. Run bus --help"],
    [['--slto', '1'], 'Unknown option \'--slto\' (did you mean "--slot"?). Run bus --help'],
    [['--slot'], "Option '--slot <value>' argument missing. Run bus --help"],
    [
      ['--slot', '--help'],
      "Option '--slot' needs a value. Write one that begins with a dash after a =. Run bus --help",
    ],
    [['--help=no'], "Option '-h, --help' does not take an argument. Run bus --help"],
  ])((args, message) => {
    expect(() => readCommandLine(SET, args)).toThrow(new UsageError(message))
  }))

test('refuses a number below the least one, or with a fraction', () =>
  rows(['0', '-1', '1.5', 'long'])(value => {
    expect(() => readNumber({ slot: [value] }, 'slot', 5)).toThrow(`from 1 on, not '${value}'`)
  }))
