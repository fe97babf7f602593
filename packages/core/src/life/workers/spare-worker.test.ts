// A spare worker is taken once, or ends. It never fails its host.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { rows } from '../../../../../scripts/testing.js'
import { SpareWorker, spawnCoreEarly } from './spare-worker.js'

const spawn = (source: string): Worker => new Worker(source, { eval: true })
const WAITING = "require('worker_threads').parentPort.on('message', () => {})"

test('can be taken once', async () => {
  const worker = spawn(WAITING)
  const spare = new SpareWorker(() => worker)
  expect(spare.take()).toBe(worker)
  expect(spare.take()).toBeUndefined()
  spare.discard()
  await once(worker, 'online')
  await worker.terminate()
})

test('is terminated by discard unless it was taken', async () => {
  const worker = spawn(WAITING)
  const spare = new SpareWorker(() => worker)
  spare.discard()
  await once(worker, 'exit')
  expect(spare.take()).toBeUndefined()
})

test('cannot be taken once it has ended', () =>
  rows([
    ['throws an error', "throw new Error('no')", 'error'],
    ['exits', 'process.exit(3)', 'exit'],
  ])(async (_name, source, event) => {
    const worker = spawn(source)
    const spare = new SpareWorker(() => worker)
    await once(worker, event).catch(() => {})
    expect(spare.take()).toBeUndefined()
  }))

test('is absent if it cannot be spawned', () => {
  const spare = new SpareWorker(() => {
    throw new Error('no')
  })
  expect(spare.take()).toBeUndefined()
})

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
