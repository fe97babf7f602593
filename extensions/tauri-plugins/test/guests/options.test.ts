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

test('the directory of stores can be a URL, and nothing else than that and a path', () => {
  expect(() => plugins.store({ directory: new URL('file:///stores/') })).not.toThrow()
  expect(() => plugins.store({ directory: 1 as never })).toThrow('store(): directory must be a path or a file URL')
})
