// A process of the benchmark: opens arms and measures on request. It loads modules late, because some requests measure its memory.
import { createBirpc } from 'birpc'
import { sum } from 'd3-array'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { BENCH_EVENT } from './loops/serve.js'
import { startCpuClock } from './loops/subject.js'
import type { Measurement, OpenArm, Scenario, Task } from './model/scenario.js'
import { usualCall } from './payloads/payloads.js'
import type { ProcessHost } from './run/fresh-process.js'

let scenarios: readonly Scenario[] = []
const opened: { scenario: Scenario; arm: OpenArm }[] = []

const host: ProcessHost = {
  load: async () => {
    const { allScenarios } = await import('./scenarios/index.js')
    scenarios = allScenarios()
  },
  open: async (scenarioId, armId) => {
    const scenario = scenarios.find(({ id }) => id === scenarioId)
    const arm = scenario?.arms.find(({ id }) => id === armId)
    if (!scenario || !arm) throw new Error(`This version has no ${scenarioId}/*/${armId}`)
    return opened.push({ scenario, arm: await arm.open() }) - 1
  },
  measure: (handle, task, payloadId) => {
    const { scenario, arm } = opened[handle]!
    const found = scenario.cases.find(({ payload }) => payload.id === payloadId)
    if (!found) throw new Error(`This version has no payload '${payloadId}' in ${scenario.id}`)
    return arm.measure(task, found.payload)
  },
  close: handle => opened[handle]!.arm.close(),
  measureIdle,
  measureMemory,
  measurePages,
  measureDensity: async (arm, size) => (await import('./density/measure-density.js')).measureDensity(arm, size),
  openPages,
  occupyCore: () => void setImmediate(occupyCore),
  readCpu: () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1e3
  },
}

/** Time for every thread to load the modules of a call, before the silence. */
const CALLS_MS = 50

/** Opens an arm, makes calls, and then measures CPU time (in % of a core) and memory while nothing is sent. */
async function measureIdle(armId: string, { ms, settleMs = 0 }: Task): Promise<Measurement> {
  const { callArms } = await import('./arms/features.js')
  const arm = callArms().find(({ id }) => id === armId)!
  const before = process.memoryUsage.rss()
  const { measure, close } = await arm.open()
  try {
    await measure({ loop: 'calls', ms: CALLS_MS, inFlight: 1 }, usualCall)
    await delay(settleMs)
    const readCpu = startCpuClock()
    const start = performance.now()
    await delay(ms)
    const cpu = (readCpu() / 1e3 / (performance.now() - start)) * 100
    return { cpu, rss: process.memoryUsage.rss() - before }
  } finally {
    await close()
  }
}

/** The result is the mean of some frontends, because the first one loads what they share. */
const FRONTENDS = 4
/** Time for threads to release the memory of their start. */
const SETTLE_MS = 250

/** Opens frontends, and measures the growth of memory in all processes for each. */
async function measureMemory(name: string): Promise<Measurement> {
  const { createBus } = await import('@sallyport/core')
  const { createPattern } = await import('./arms/bus.js')
  const { SANDBOXES } = await import('./arms/lifecycle.js')
  const { workerUrl } = await import('./shared/worker-url.js')
  const hasGate = name === 'isolation'
  const sandbox = SANDBOXES.find(({ sandbox: kind }) => kind === (hasGate ? 'permission' : name))
  if (!sandbox) throw new Error(`Unknown sandbox '${name}'`)
  const { module, ...options } = sandbox
  const labels = Array.from({ length: FRONTENDS }, (_, index) => `main-${index}`)
  const capabilities = [{ identifier: 'bench', windows: ['main-*'], permissions: ['allow-greet'] }]
  const security = { pattern: createPattern(hasGate ? 'check' : undefined), capabilities }
  const bus = await createBus({ core: workerUrl('core'), log: false, app: { security } })
  try {
    await delay(SETTLE_MS)
    const before = process.memoryUsage.rss()
    let ready = 0
    const allReady = new Promise<void>((resolve, reject) => {
      bus.on('fault', ({ label, error }) => reject(new Error(`${label}: ${error.message}`)))
      bus.listen(BENCH_EVENT.ready, () => ++ready === FRONTENDS && resolve()).catch(reject)
    })
    for (const label of labels) await bus.open(label, module, options)
    await allReady
    await delay(SETTLE_MS)
    const others = name === 'process' ? await Promise.all(labels.map(label => bus.call<number>(label, 'memory'))) : []
    const grown = process.memoryUsage.rss() - before
    return { rss: (grown + sum(others)) / FRONTENDS }
  } finally {
    await bus.close({ timeout: 0 })
  }
}

/** The first pages load what pages share, and V8's young generation grows. The result is the mean of as many more pages. */
const PAGES = 1000

/** Opens pages in another process, and measures the growth of this process's memory, without garbage, for each. */
async function measurePages(name: string): Promise<Measurement> {
  const { WEB_SERVERS } = await import('./arms/web.js')
  const { startProcess } = await import('./run/fresh-process.js')
  const [{ url }, browser] = [await WEB_SERVERS[name]!(), startProcess()]
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const open = async (): Promise<number> => {
    await browser.rpc.openPages(url, PAGES, name === 'ws' ? 'open' : 'message')
    for (let round = 0; round < 4; round++) {
      collect()
      await delay(SETTLE_MS)
    }
    return process.memoryUsage.rss()
  }
  const before = await open()
  return { rss: ((await open()) - before) / PAGES }
}

async function openPages(url: string, pages: number, event: string): Promise<void> {
  const { WebSocket } = await import('ws')
  for (let count = 0; count < pages; count++) {
    await once(new WebSocket(`${url}sallyport`, randomUUID(), { origin: new URL(url).origin }), event)
  }
}

/** After this time of work the process can handle the end of the benchmark. */
const BUSY_MS = 50

/** Occupies a core without a pause. */
function occupyCore(): void {
  const end = performance.now() + BUSY_MS
  while (performance.now() < end);
  setImmediate(occupyCore)
}

createBirpc<object, ProcessHost>(host, {
  post: data => void process.send?.(data),
  on: receive => void process.on('message', receive),
})
// The benchmark ended or was killed.
process.on('disconnect', () => process.exit())
// Ctrl-C goes to the process group. The parent process ends this one.
process.on('SIGINT', () => {})
