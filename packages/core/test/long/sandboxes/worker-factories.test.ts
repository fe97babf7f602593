// Threads that several frontends or gates share, started by the functions of a program that bundles Sallyport (option `workers`).
import { Worker, type WorkerOptions } from 'node:worker_threads'
import { pino } from 'pino'
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

test('a gate and a script host start under the permission model, and can read packages alone', async () => {
  const flags: (readonly string[])[] = []
  const create = (name: string) => (options: WorkerOptions) => {
    flags.push(options.execArgv!)
    return createWorker(name, options)
  }
  const bus = await start({
    workers: { frontend: create('@sallyport/frontend/worker'), gate: create('@sallyport/isolation/worker') },
    isolation: {},
    capabilities: [everyCommand],
  })
  await open(bus, 'a')
  expect(flags).toHaveLength(2)
  const readable =
    /^--allow-fs-read=(.*\/packages\/\w+\/dist\/.*|.*\/node_modules\/.*|.*\/package\.json|\/proc\/thread-self\/schedstat)$/
  const rest = flags.map(all => all.filter(flag => !readable.test(flag.replaceAll('\\', '/'))))
  const model = Number.parseInt(process.versions.node) < 24 ? '--experimental-permission' : '--permission'
  for (const others of rest) expect(others).toContain(model)
  expect(rest.flat().filter(flag => flag.startsWith('--allow'))).toEqual([])
})

test('the log warns if a frontend can read the working directory all the same', async () => {
  const lines: { level: number; label?: string; msg: string }[] = []
  const log = pino({ level: 'warn' }, { write: line => void lines.push(JSON.parse(line) as (typeof lines)[number]) })
  const create = (options: WorkerOptions) => createWorker('@sallyport/frontend/worker', options)
  const bus = await start({ workers: { frontend: create }, log })
  await bus.open('main', { source: '', name: 'main.js' })
  const msg = expect.stringContaining('Node lets this frontend read everything below the working directory') as string
  expect(lines).toContainEqual(expect.objectContaining({ level: 40, label: 'main', msg }))
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
