// Core's worker is spawned before the options are checked only if no option can change how.
import { expect, test } from 'vitest'
import { rows } from '../../../../../scripts/testing.js'
import { spawnCoreEarly } from './core-worker.js'

const module = new URL('file:///core.js')

test('none is spawned if core runs here or has other options', () =>
  rows<[string, unknown]>([
    ['core runs in the calling thread', { core: { commands: {} } }],
    ['a function starts the worker', { core: module, workers: { core: () => {} } }],
    ['the output of core is captured', { core: module, dev: true }],
    ['there are no options', undefined],
  ])((_name, options) => expect(spawnCoreEarly(options)).toBeUndefined()))

test('one is spawned for a core in a module', () =>
  rows<[string, unknown]>([
    ['a URL', module],
    ['a path', './core.js'],
    ['options', { module }],
  ])(async (_name, core) => spawnCoreEarly({ core })!.take()!.terminate()))
