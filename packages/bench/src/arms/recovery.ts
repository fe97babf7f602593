// What breaks and is started again: how long from the crash to the first answer after it. Each measurement has a bus of its own,
// because one in which something breaks often gives up.
import type { Bus } from '@sallyport/core'
import { once } from 'node:events'
import type { Arm } from '../arm.js'
import type { Payload } from '../payloads/payload.js'
import type { Measurement, Task } from '../task.js'
import { BENCH_EVENT, sharedClock, type Ready } from '../workers/bench-event.js'
import { LABEL, startBus, talkTo, type BusSettings } from './bus.js'
import { startWorker } from './thread.js'

const RING = { codec: 'json', link: 'ring' } as const

/** Instead of 50 to 100 ms, which let whatever made it crash pass by. */
const AT_ONCE = { supervision: { delay: { min: 0, max: 0 } } }

const recoveryArm = (id: string, title: string, settings: BusSettings): Arm => ({
  id,
  title,
  open: async () => ({
    measure: async (task, payload) => {
      const { bus, ready } = await startBus(settings)
      try {
        await ready
        return await (task.loop === 'recover-core' ? coreRecovers(bus, task, payload) : frontendRecovers(bus))
      } finally {
        await bus.close({ timeout: 0 })
      }
    },
    close: async () => {},
  }),
})

/** Its frontend asks for the crash, and then for an answer. */
async function coreRecovers(bus: Bus, task: Task, payload: Payload): Promise<Measurement> {
  const { measure } = await talkTo(bus, 'core')
  return measure(task, payload)
}

/** Its module begins anew, and tells when its first call was answered. */
async function frontendRecovers(bus: Bus): Promise<Measurement> {
  const next = async <T>(event: string): Promise<T> =>
    new Promise((resolve, reject) => {
      bus.once<T>(event, ({ payload }) => resolve(payload)).catch(reject)
      bus.on('failed', ({ error }) => reject(error))
    })
  const [crashing, again] = [next<number>(BENCH_EVENT.crashing), next<Ready>(BENCH_EVENT.ready)]
  await bus.emitTo(LABEL, BENCH_EVENT.crash)
  const [at, ready] = await Promise.all([crashing, again])
  return { time: ready.at - at }
}

const worker: Arm = {
  id: 'worker',
  title: 'an empty Worker',
  open: async () => ({ measure: workerRecovers, close: async () => {} }),
}

/** Started again as soon as it has ended, until it answers. */
async function workerRecovers(): Promise<Measurement> {
  const first = startWorker('crashing')
  first.on('error', () => {})
  // Not `once`, for which its error would be one.
  const ended = new Promise(resolve => first.once('exit', resolve))
  first.postMessage('crash')
  const [at] = (await once(first, 'message')) as [number]
  await ended
  const second = startWorker('crashing')
  try {
    second.postMessage('ping')
    await once(second, 'message')
    return { time: sharedClock() - at }
  } finally {
    await second.terminate()
  }
}

export const recoveryArms: readonly [Arm, ...Arm[]] = [
  worker,
  recoveryArm('ring-json', 'ring JSON', RING),
  recoveryArm('isolation-ring-json', 'isolation', { ...RING, hook: 'check' }),
  recoveryArm('ring-json-at-once', 'ring JSON, at once', { ...RING, ...AT_ONCE }),
  recoveryArm('isolation-ring-json-at-once', 'isolation, at once', { ...RING, ...AT_ONCE, hook: 'check' }),
]
