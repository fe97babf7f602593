// Arms that start a worker, a bus or a process for each measurement. Memory is measured in a fresh process, because an arm would reuse
// the memory that earlier arms have freed.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Arm, Arms, Measurement, OpenArm, Task } from '../model/scenario.js'
import { startProcess, type StartedProcess } from '../run/fresh-process.js'
import { sharedClock } from '../shared/clock.js'
import * as bus from './bus.js'
import { workerUrl } from '../shared/worker-url.js'

type Settings = bus.BusArmOptions

function arm(id: string, title: string, measure: OpenArm['measure']): Arm {
  return { id, title, open: async () => ({ measure, close: async () => {} }) }
}

type MeasureProcess = (rpc: StartedProcess['rpc'], task: Task) => Promise<Measurement>

export const processArm = (id: string, title: string, measure: MeasureProcess): Arm =>
  arm(id, title, async task => {
    const { rpc, kill } = startProcess()
    try {
      return await measure(rpc, task)
    } finally {
      await kill()
    }
  })

/** Measures from `createBus` to the answer to the frontend's first call. */
const startArm = (id: string, title: string, settings: Settings): Arm =>
  arm(id, title, async () => {
    const start = sharedClock()
    const started = await bus.startBus(settings)
    try {
      return { time: (await started.ready).at - start }
    } finally {
      await started.bus.close({ timeout: 0 })
    }
  })

/** Measures until the first reply of a new worker that loads nothing. */
const workerArm = arm('worker', 'one empty Worker', async () => {
  const start = sharedClock()
  const worker = new Worker(workerUrl('empty'))
  try {
    worker.postMessage('ping')
    await once(worker, 'message')
    return { time: sharedClock() - start }
  } finally {
    await worker.terminate()
  }
})

export const startArms: Arms = [
  workerArm,
  startArm('ring-json', 'ring JSON', bus.RING_JSON),
  startArm('isolation-ring-json', 'isolation, ring JSON', { ...bus.RING_JSON, hook: 'check' }),
]

/** All sandboxes run the same program. */
const module = new URL('../../frontends/module.js', import.meta.url)
export const SANDBOXES: readonly (Settings & { sandbox: string; module: URL })[] = [
  { sandbox: 'none', module },
  { sandbox: 'permission', module },
  { sandbox: 'process', module },
  { sandbox: 'ses', module: new URL('script.js', module) },
]

const inEachSandbox = (createArm: (id: string, title: string, settings: Settings) => Arm): Arms => {
  const [first, ...others] = SANDBOXES.map(settings => {
    const { sandbox } = settings
    return createArm(sandbox, sandbox === 'none' ? 'no sandbox' : sandbox, settings)
  })
  return [first!, ...others]
}

/** @param sandbox one of `SANDBOXES`, or `isolation` for frontends that also have a gate */
export const memoryArm = (sandbox: string, title: string): Arm =>
  processArm(sandbox, title, rpc => rpc.measureMemory(sandbox))

export const sandboxArms: Arms = inEachSandbox(bus.busArm)
export const sandboxStarts: Arms = inEachSandbox(startArm)
export const memoryArms: Arms = [...inEachSandbox(memoryArm), memoryArm('isolation', 'permission, and a gate')]

/** Measures arms that send nothing, each in a fresh process. */
export function idleArms([reference, ...others]: Arms): Arms {
  const change = ({ id, title }: Arm): Arm => processArm(id, title, (rpc, task) => rpc.measureIdle(id, task))
  return [change(reference), ...others.map(change)]
}

/** Starts a process that occupies one core. It exits after this process. */
export async function occupyCore(): Promise<{ pid: number; end(): Promise<void> }> {
  const { child, rpc, kill } = startProcess()
  await rpc.occupyCore()
  return { pid: child.pid!, end: kill }
}
