// Threads that several frontends or gates share, started by the functions of a program that bundles Sallyport (option `workers`).
import { Worker, type WorkerOptions } from 'node:worker_threads'
import { expect, test } from 'vitest'
import type { Bus } from '../../../src/index.js'
import { everyCommand, fixture, start } from '../../support/start.js'

const source = `sallyport.expose({ greet: () => sallyport.invoke('greet', { name: sallyport.label }) })`
const sandbox = { kind: 'quickjs', group: 'scripts' } as const

/** The sandbox of a worker that a function starts includes the directory of the bundle, which the test does not have. */
const createWorker = (name: string, options: WorkerOptions): Worker =>
  new Worker(new URL(import.meta.resolve(name)), {
    ...options,
    execArgv: [...(options.execArgv ?? []), '--allow-fs-read=*'],
  })

const open = async (bus: Bus, ...labels: string[]): Promise<void> => {
  for (const label of labels) await bus.open(label, { source, name: `${label}.js` }, { sandbox })
}

test('start one thread for a group, and one for shared gates', async () => {
  const started: string[] = []
  const create = (name: string) => (options: WorkerOptions) => {
    started.push(name)
    return createWorker(name, options)
  }
  const bus = await start({
    workers: { frontend: create('@sallyport/frontend/worker'), gate: create('@sallyport/isolation/worker') },
    isolation: { dir: fixture('isolation/hooks/judge/'), gates: 1 },
    capabilities: [everyCommand],
  })
  await open(bus, 'a', 'b')
  expect(await Promise.all(['a', 'b'].map(label => bus.call(label, 'greet')))).toEqual(['Hello, a!', 'Hello, b!'])
  expect(started.toSorted()).toEqual(['@sallyport/frontend/worker', '@sallyport/isolation/worker'])
})

test('reject the start if they return no worker, and the next start tries again', async () => {
  let isBroken = true
  const bus = await start({
    workers: {
      frontend: options => (isBroken ? ({} as Worker) : createWorker('@sallyport/frontend/worker', options)),
    },
    capabilities: [everyCommand],
  })
  await expect(open(bus, 'a')).rejects.toMatchObject({
    reason: 'InvalidParams',
    message: expect.stringContaining('workers: each must return a worker') as string,
  })
  isBroken = false
  await open(bus, 'a', 'b')
  expect(await bus.call('b', 'greet')).toBe('Hello, b!')
})
