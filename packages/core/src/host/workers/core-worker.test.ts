// Core's worker is spawned before the options are checked only if no option can change how.
import { expect, test } from 'vitest'
import { spawnCoreEarly } from './core-worker.js'

const module = new URL('file:///core.js')

test.each<[string, unknown]>([
  ['core runs in the calling thread', { core: { commands: {} } }],
  ['a function starts the worker', { core: module, workers: { core: () => {} } }],
  ['the output of core is captured', { core: module, dev: true }],
  ['there are no options', undefined],
])('none is spawned if %s', (_name, options) => {
  expect(spawnCoreEarly(options)).toBeUndefined()
})

test.each<[string, unknown]>([
  ['a URL', module],
  ['a path', './core.js'],
  ['options', { module }],
])('one is spawned for a core as %s', async (_name, core) => {
  await spawnCoreEarly({ core })!.take()!.terminate()
})
