// Arms that run a text once and return its result: a Worker for each run, the package `run` of npm if it is installed, and `bus.run`. A frontend
// that stays open shows what a call costs without a script.
import { createBus, defineCore } from '@sallyport/core'
import type { QuickjsSandbox } from '@sallyport/core/internal'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { repeat } from '../loops/calls.js'
import type { Arm, Arms, Measurement, OpenArm, Task } from '../model/scenario.js'
import { findPackage, readVersion } from '../run/machine.js'
import { withWall } from './fresh.js'

/** Until a process that was used has been replaced. */
const PAUSE_MS = 300
const WARM_UP_RUNS = 5

interface Runner {
  /** Runs a text that makes so many calls of the host, one after the other, and returns how many it made. */
  run(calls: number): Promise<unknown>
  close(): Promise<void>
}

const add = ({ a, b }: { a: number; b: number }): number => a + b

const toSource = (calls: number | string, call: string): string =>
  `let made = 0; while (made < ${calls}) made = await ${call}({ a: made, b: 1 }); return made`

async function measureRuns({ run }: Runner, task: Task): Promise<Measurement> {
  const { size = 0, isSparse } = task
  const runOnce = async (): Promise<void> => {
    const made = await run(size)
    if (made !== size) throw new Error(`A run returned ${String(made)} instead of ${size}`)
  }
  for (let made = 0; made < WARM_UP_RUNS; made++) await runOnce()
  const figures = await repeat(runOnce, task, { pauseMs: isSparse ? PAUSE_MS : 0 })
  return { ...figures, call: figures['p50']! / Math.max(1, size) }
}

const WORKER = `
  const { parentPort, workerData } = require('node:worker_threads')
  const answers = []
  parentPort.on('message', answer => answers.shift()(answer))
  const add = args => new Promise(resolve => { answers.push(resolve); parentPort.postMessage({ args }) })
  const AsyncFunction = (async () => {}).constructor
  new AsyncFunction('add', workerData)(add).then(result => parentPort.postMessage({ result }))
`

const startWorkers = async (): Promise<Runner> => ({
  run: calls =>
    new Promise((resolve, reject) => {
      const worker = new Worker(WORKER, { eval: true, workerData: toSource(calls, 'add') })
      worker.on('error', reject)
      worker.on('message', ({ args, result }: { args?: { a: number; b: number }; result?: unknown }) => {
        if (args) return worker.postMessage(add(args))
        void worker.terminate().then(() => resolve(result))
      })
    }),
  close: async () => {},
})

/** The part of the package `run` that is used. */
interface RunPackage {
  createRunner(): { run(options: { source: string; hostFunctions: object }): Promise<{ value?: unknown }> }
}

async function startRunPackage(): Promise<Runner> {
  const entry = pathToFileURL(join(findPackage('run')!, 'dist/index.js'))
  const { createRunner } = (await import(entry.href)) as RunPackage
  const runner = createRunner()
  const hostFunctions = { tools: { add } }
  return {
    run: async calls => (await runner.run({ source: toSource(calls, 'tools.add'), hostFunctions })).value,
    close: async () => {},
  }
}

const FRONTEND = `
  import { expose, invoke } from '@sallyport/frontend'
  const add = args => invoke('add', args)
  expose({ run: async ({ calls }) => { ${toSource('calls', 'add')} } })`

/** Calls a function of a frontend that is open. */
async function startFrontend(): Promise<Runner> {
  const bus = await createBus({ core: defineCore({ commands: { add } }), log: false })
  await bus.open('frontend', { source: FRONTEND }, { sandbox: 'permission', allow: ['add'] })
  return { run: calls => bus.call('frontend', 'run', { calls }), close: () => bus.close({ timeout: 0 }) }
}

const startBus = (sandbox: QuickjsSandbox) => async (): Promise<Runner> => {
  const bus = await createBus({ core: defineCore({ commands: { add } }), log: false })
  return {
    run: calls =>
      bus.run(`const add = args => invoke('add', args); ${toSource(calls, 'add')}`, { sandbox, allow: ['add'] }),
    close: () => bus.close({ timeout: 0 }),
  }
}

const scriptsArm = (id: string, title: string, start: () => Promise<Runner>): Arm => ({
  ...{ id, title },
  async open(): Promise<OpenArm> {
    const runner = await start()
    return { measure: task => measureRuns(runner, task), close: runner.close }
  },
})

const walledArm = (id: string, title: string, options: Partial<QuickjsSandbox>): Arm =>
  withWall(scriptsArm(id, title, startBus({ kind: 'quickjs', process: true, wall: 'required', ...options })))

const lacksRun = (): string | undefined => (findPackage('run') === undefined ? 'run is not installed' : undefined)

export const scriptsArms = (): Arms => [
  scriptsArm('worker', 'raw Worker', startWorkers),
  { ...scriptsArm('run', `run ${lacksRun() ? '' : readVersion('run')}`.trim(), startRunPackage), lacks: lacksRun },
  scriptsArm('permission', 'permission, open', startFrontend),
  scriptsArm('quickjs', 'bus.run', startBus({ kind: 'quickjs' })),
  walledArm('quickjs-shared', 'bus.run, shared wall', { perProcess: 250, spares: 1 }),
  walledArm('quickjs-wall', 'bus.run, wall, spares', { spares: 2 }),
]
