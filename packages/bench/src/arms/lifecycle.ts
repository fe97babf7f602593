// Arms that start something new for each measurement: a worker, a bus, or a process of its own. Memory is measured in a fresh
// process, because an arm would first take what others have given back.
import type { Bus } from '@sallyport/core'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { sharedClock } from '../loops/handlers.js'
import { BENCH_EVENT, type Ready } from '../loops/serve.js'
import type { Arm, Arms, Beside, Measurement, OpenArm } from '../model/scenario.js'
import { startProcess, type StartedProcess } from '../run/fresh-process.js'
import * as bus from './bus.js'
import { rawPort, workerUrl } from './threads.js'

type Settings = bus.BusArmOptions
type Measure = OpenArm['measure']

const arm = (id: string, title: string, measure: Measure): Arm => ({
  id,
  title,
  open: async () => ({ measure, close: async () => {} }),
})

/** Measures with a bus that is started for it alone. A bus in which something crashes often gives up. */
async function withBus(settings: Settings, measure: (started: bus.StartedBus) => Promise<Measurement>) {
  const started = await bus.startBus(settings)
  try {
    return await measure(started)
  } finally {
    await started.bus.close({ timeout: 0 })
  }
}

/** Measures with a process that is started for it alone. */
async function withProcess(measure: (rpc: StartedProcess['rpc']) => Promise<Measurement>): Promise<Measurement> {
  const { rpc, kill } = startProcess()
  try {
    return await measure(rpc)
  } finally {
    await kill()
  }
}

/** From `createBus` to the answer to the frontend's first call. */
const startArm = (id: string, title: string, settings: Settings): Arm =>
  arm(id, title, async () => {
    const start = sharedClock()
    return withBus(settings, async ({ ready }) => ({ time: (await ready).at - start }))
  })

/** Until the first reply of a new worker that loads nothing. */
async function timeWorker(start: number): Promise<Measurement> {
  const worker = new Worker(workerUrl('empty'))
  try {
    worker.postMessage('ping')
    await once(worker, 'message')
    return { time: sharedClock() - start }
  } finally {
    await worker.terminate()
  }
}

const ISOLATION: Settings = { ...bus.RING_JSON, hook: 'check' }

export const startArms: Arms = [
  arm('worker', 'one empty Worker', () => timeWorker(sharedClock())),
  startArm('ring-json', 'ring JSON', bus.RING_JSON),
  startArm('isolation-ring-json', 'isolation, ring JSON', ISOLATION),
]

const recoveryArm = (id: string, title: string, settings: Settings): Arm =>
  arm(id, title, (task, payload) =>
    withBus(settings, async ({ bus: started, ready }) => {
      await ready
      if (task.loop === 'recover-frontend') return recoverFrontend(started)
      // The frontend asks core to crash, and calls it until it answers.
      const measure = await bus.converseWithFrontend(started, 'core')
      return measure(task, payload)
    }),
  )

/** The frontend's module runs again, and reports when its first call was answered. */
async function recoverFrontend(started: Bus): Promise<Measurement> {
  let crashedAt = NaN
  // The frontend announces its crash again if the announcement arrived too late.
  await started.listen<number>(BENCH_EVENT.crashing, ({ payload }) => void (crashedAt = payload))
  const ready = new Promise<Ready>((resolve, reject) => {
    started.once<Ready>(BENCH_EVENT.ready, ({ payload }) => resolve(payload)).catch(reject)
    started.on('failed', ({ error }) => reject(error))
  })
  await started.emitTo(bus.LABEL, BENCH_EVENT.crash)
  return { time: (await ready).at - crashedAt }
}

/** A worker that is replaced as soon as it has exited, until the new one answers. */
async function recoverWorker(): Promise<Measurement> {
  const worker = new Worker(workerUrl('empty'))
  worker.on('error', () => {})
  // `events.once` would reject, because the worker also emits an error.
  const exited = new Promise(resolve => worker.once('exit', resolve))
  worker.postMessage('crash')
  const [at] = (await once(worker, 'message')) as [number]
  await exited
  return timeWorker(at)
}

/** Restarts at once, instead of after 50 to 100 ms, in which the cause of a crash may pass. */
const AT_ONCE = { supervision: { delay: { min: 0, max: 0 } } }

export const recoveryArms: Arms = [
  arm('worker', 'an empty Worker', recoverWorker),
  recoveryArm('ring-json', 'ring JSON', bus.RING_JSON),
  recoveryArm('isolation-ring-json', 'isolation', ISOLATION),
  recoveryArm('ring-json-at-once', 'ring JSON, at once', { ...bus.RING_JSON, ...AT_ONCE }),
  recoveryArm('isolation-ring-json-at-once', 'isolation, at once', { ...ISOLATION, ...AT_ONCE }),
]

/** All run one script, so that nothing else differs. */
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
  arm(sandbox, title, () => withProcess(rpc => rpc.measureMemory(sandbox)))

export const sandboxArms: Arms = inEachSandbox(bus.busArm)
export const sandboxStarts: Arms = inEachSandbox(startArm)
export const memoryArms: Arms = [...inEachSandbox(memoryArm), memoryArm('isolation', 'permission, and a gate')]

/** Opens each arm in a process of its own. */
const inProcesses = ([reference, ...others]: Arms, measure: (id: string) => Measure): Arms => {
  const change = (opened: Arm): Arm => ({ ...opened, ...arm(opened.id, opened.title, measure(opened.id)) })
  return [change(reference), ...others.map(change)]
}

/** Measures arms while they are silent. */
export const idleArms = (arms: Arms): Arms =>
  inProcesses(arms, id => task => withProcess(rpc => rpc.measureIdle(id, task)))

/** The arms of a slow consumer, as the processes open them. */
export const SLOW_ARMS: Arms = [rawPort, bus.portJson, bus.ringJson, bus.isolationRingJson]
export const slowArms: Arms = inProcesses(
  SLOW_ARMS,
  id => task => withProcess(rpc => rpc.measureSlowConsumer(id, task)),
)

/** Starts a process that occupies one core; resolves once it does. It exits by itself if this process is gone. */
export async function occupyCore(): Promise<Beside & { pid: number }> {
  const { child, rpc, kill } = startProcess()
  await rpc.occupyCore()
  return { pid: child.pid!, end: kill }
}
