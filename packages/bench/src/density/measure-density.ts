// Starts many frontends, or as many empty threads or processes, and measures what they take. This process is their host.
import { range } from 'd3-array'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { setTimeout as delay } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { createBus, type BusOptions } from '@sallyport/core'
import { createCapability } from '../arms/bus.js'
import { DENSITY } from '../arms/density.js'
import { SANDBOXES } from '../arms/lifecycle.js'
import { createConversation } from '../arms/threads.js'
import { workerUrl } from '../shared/worker-url.js'
import { BENCH_EVENT, type Reply } from '../loops/serve.js'
import { percentiles } from '../loops/subject.js'
import type { Measurement } from '../model/scenario.js'
import { clockedCall } from '../payloads/payloads.js'
import { readProcessTree } from '../run/process-tree.js'

/** Time for threads to release the memory of their start. */
const SETTLE_MS = 500

/** Calls of one frontend while the others are idle, after calls that are not measured. */
const CALLS_MS = 500
const WARM_UP_MS = 500

interface Started {
  /** The time from the first start until all are ready, in µs. */
  time: number
  /** The p50 of a message there and back of the first of them, in µs. */
  measureCall(): Promise<number>
  close(): Promise<void>
}

/** @param name a key of `DENSITY` */
export async function measureDensity(name: string, size: number): Promise<Measurement> {
  const kind = DENSITY[name]
  if (kind === undefined) throw new Error(`Unknown arm '${name}'`)
  if (size < 1) throw new Error(`Invalid number of frontends: ${size}. Start at least 1.`)
  const before = readProcessTree()
  const started = typeof kind === 'string' ? await startEmpty(kind, size) : await startFrontends(kind, size)
  try {
    await delay(SETTLE_MS)
    const { pss, cpu } = readProcessTree()
    const { time } = started
    return { pss: pss - before.pss, cpu: cpu - before.cpu, time, p50: await started.measureCall() }
  } finally {
    await started.close()
  }
}

async function startFrontends(kind: Exclude<(typeof DENSITY)[string], string>, size: number): Promise<Started> {
  const labels = range(size).map(index => `main-${index}`)
  const { sandbox } = kind
  const sandboxKind = typeof sandbox === 'string' ? sandbox : sandbox.kind
  const { module } = SANDBOXES.find(entry => entry.sandbox === sandboxKind)!
  const bus = await createBus({
    core: workerUrl('core'),
    log: false,
    capabilities: [{ ...createCapability(), windows: ['main-*'] }],
    ...createIsolation(kind.gates),
  })
  const close = (): Promise<void> => bus.close({ timeout: 0 })
  try {
    const { measure, receive, fail } = createConversation(request =>
      bus.emitTo(labels[0]!, BENCH_EVENT.request, request),
    )
    const failed = new Promise<never>((_, reject) => {
      bus.on('fault', ({ label, error }) => {
        const failure = new Error(`${label}: ${error.message}`)
        fail(failure)
        reject(failure)
      })
    })
    failed.catch(() => {})
    let ready = 0
    const allReady = new Promise<void>((resolve, reject) => {
      bus.listen(BENCH_EVENT.ready, () => ++ready === size && resolve()).catch(reject)
    })
    await bus.listen<Reply>(BENCH_EVENT.reply, ({ payload }) => receive(payload))
    const start = performance.now()
    const opened = Promise.all(labels.map(label => bus.open(label, module, { sandbox })))
    await Promise.race([Promise.all([opened, allReady]), failed])
    const time = (performance.now() - start) * 1e3
    const task = { loop: 'calls', ms: CALLS_MS, settleMs: WARM_UP_MS, inFlight: 1 } as const
    return { time, close, measureCall: async () => (await measure(task, clockedCall))['p50']! }
  } catch (error) {
    await close()
    throw error
  }
}

const hook = fileURLToPath(new URL('../../hooks/check/', import.meta.url))

const createIsolation = (gates: 'each' | number | undefined): Pick<BusOptions, 'isolation'> =>
  gates === undefined ? {} : { isolation: { dir: hook, gates } }

/** An empty thread or process: the first message starts its loop, and each is sent back. */
interface Empty {
  roundTrip(): Promise<unknown>
  end(): Promise<unknown>
}

const START_EMPTY: Readonly<Record<'worker' | 'fork', () => Empty>> = {
  worker: () => {
    const worker = new Worker(workerUrl('empty'))
    const roundTrip = (): Promise<unknown> => {
      worker.postMessage('ping')
      return once(worker, 'message')
    }
    return { roundTrip, end: () => worker.terminate() }
  },
  fork: () => {
    const child = fork(workerUrl('empty-process'), { execArgv: [] })
    const exited = once(child, 'exit')
    const roundTrip = (): Promise<unknown> => {
      child.send('ping')
      return once(child, 'message')
    }
    return { roundTrip, end: () => (child.kill('SIGKILL'), exited) }
  },
}

async function startEmpty(kind: 'worker' | 'fork', size: number): Promise<Started> {
  const start = performance.now()
  const all = range(size).map(START_EMPTY[kind])
  const close = async (): Promise<void> => void (await Promise.all(all.map(each => each.end())))
  try {
    await Promise.all(all.map(each => each.roundTrip()))
    const time = (performance.now() - start) * 1e3
    return { time, close, measureCall: () => measureRoundTrips(all[0]!) }
  } catch (error) {
    await close()
    throw error
  }
}

async function measureRoundTrips({ roundTrip }: Empty): Promise<number> {
  const measureFor = async (ms: number): Promise<number> => {
    const times: number[] = []
    const end = performance.now() + ms
    for (let before = performance.now(); before < end;) {
      await roundTrip()
      const now = performance.now()
      times.push(now - before)
      before = now
    }
    return percentiles(Float64Array.from(times)).p50
  }
  await measureFor(WARM_UP_MS)
  return measureFor(CALLS_MS)
}
