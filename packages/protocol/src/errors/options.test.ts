import { expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'

import { BOOLEAN, checkOptions, FUNCTION, type OptionChecks, STRING, STRINGS } from './options.js'

type Options = { name: string; labels?: readonly string[]; isOpen?: boolean; done?: () => void; data?: unknown }
const CHECKS: OptionChecks<Options> = {
  name: [STRING[0], STRING[1], 'required'],
  labels: STRINGS,
  isOpen: BOOLEAN,
  done: FUNCTION,
  data: undefined,
}
const check = (options: unknown, path?: string): Options => checkOptions('f', options as Options, CHECKS, path)
const NEAR =
  process.env['SALLYPORT_TEST_PLATFORM'] === 'browser'
    ? ': use name, labels, isOpen, done, data'
    : ' (did you mean "labels"?)'

it('options of the right kind are returned, and one that is undefined counts as left out', () =>
  rows([
    { name: '' },
    { name: 'a', labels: [], isOpen: false, done: () => {} },
    { name: 'a', isOpen: undefined, data: 1 },
  ])(options => expect(check(options)).toBe(options)))

it('a mistake in options is an InvalidParams with its function, its place and what is right', () =>
  rows<[unknown, string | undefined, string]>([
    [{ name: 'a', lables: [] }, undefined, `f: unknown option "lables"${NEAR}`],
    [{ lables: [] }, 'limits.', `f: unknown option "limits.lables"${NEAR}`],
    [{ name: 'a', other: 1 }, undefined, 'f: unknown option "other": use name, labels, isOpen, done, data'],
    [{ name: 'a', constructor: 1 }, undefined, 'f: unknown option "constructor": use name, labels, isOpen, done, data'],
    [{}, undefined, 'f: name is missing: it must be a string'],
    [{ name: 7 }, undefined, 'f: name must be a string'],
    [{ name: 'a', labels: ['a', 1] }, 'limits.', 'f: limits.labels must be an array of strings'],
    [{ name: 'a', isOpen: null }, undefined, 'f: isOpen must be true or false'],
    [{ name: 'a', done: 'no' }, undefined, 'f: done must be a function'],
    [null, undefined, 'f: the options must be an object'],
    [[], 'limits.', 'f: limits must be an object'],
  ])((options, path, message) => {
    expect(() => check(options, path)).toThrow(expect.objectContaining({ reason: 'InvalidParams', message }))
  }))
