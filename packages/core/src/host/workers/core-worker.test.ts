// Core's worker is spawned before the options are checked only if no option can change how.
import { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import type { CoreWorkerData } from '../../contract/host-core.js'
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
])('a worker of core as %s can be taken once', async (_name, core) => {
  const early = spawnCoreEarly({ core })!
  const worker = early.take()!.start({} as CoreWorkerData)
  expect(early.take()).toBeUndefined()
  expect(worker).toBeInstanceOf(Worker)
  await worker.terminate()
})

test('a worker that is not taken is terminated', async () => {
  const early = spawnCoreEarly({ core: module })!
  early.discard()
  expect(early.take()).toBeUndefined()
  await expect.poll(() => process.getActiveResourcesInfo().includes('MessagePort')).toBe(false)
})
