// Each plugin's function refuses an option that it does not have: a misspelt one would have no effect.
import { expect, test } from 'vitest'
import * as plugins from '../../src/index.js'
import { rows } from '../../../../scripts/testing.js'

const { os: _withoutOptions, ...functions } = plugins

test('each function names the options that it has', () =>
  rows(functions as unknown as Record<string, (options: object) => unknown>)((create, name) => {
    expect(() => create({ ofNobody: 1 })).toThrow(`${name}(): unknown option "ofNobody". Use `)
    expect(() => create({})).not.toThrow()
  }))

const create = {
  'store(): directory': (directory: unknown) => plugins.store({ directory } as never),
  'fs(): own': (own: unknown) => plugins.fs({ own } as never),
}

test('a directory is an absolute path or a file: URL', () =>
  rows(create)((open, option) => {
    for (const right of ['/data', new URL('file:///data/')]) expect(() => open(right)).not.toThrow()
    for (const wrong of ['data', 1, new URL('http://localhost/data/')])
      expect(() => open(wrong)).toThrow(`${option} must be an absolute path or a file: URL`)
  }))
