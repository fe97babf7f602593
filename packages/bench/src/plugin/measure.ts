// What a fresh process measures, of which it is the host: the life of one plugin, or the first calls of a program. Nothing that
// an arm shares with others is loaded before the start.
import { median } from '#measure/statistics'
import { pairs, range } from 'd3-array'
import { setTimeout as delay } from 'node:timers/promises'
import { echo, greet } from '../loops/peers.js'
import type { Measurement } from '../model/scenario.js'
import { lacksProcessTree, readTreeMemory, startTreeCpuClock } from '../run/machine.js'
import type { FewCallsJob } from '../run/processes.js'

/** The functions that `frontends/plugin.js` exposes. */
type PluginFunction = 'greet' | 'call_each' | 'call_many' | 'send_bytes' | 'spin'

export interface Plugin {
  request(name: PluginFunction, args: object): Promise<unknown>
  /** Ends an endless loop. Resolves when the plugin is gone. */
  end(): Promise<unknown>
}

/** A host whose library is loaded. It can start several plugins, each with a label of its own. */
export interface PluginHost {
  start(label: string): Promise<Plugin>
  close?(): Promise<void>
}

export type LoadPluginHost = (code: HostCode) => Promise<PluginHost>

/** Notes when calls arrive, because not every plugin has a clock. */
export class HostCode {
  /** Times of the calls, in ms. */
  arrivals: number[] = []
  #resolve = (_at: number): void => {}

  readonly functions: { greet: typeof greet; echo_bytes: typeof echo } = {
    greet: this.#note(greet),
    echo_bytes: this.#note(echo),
  }

  /** Resolves to the time of the next call. One caller can wait at a time. */
  waitForCall(): Promise<number> {
    return new Promise(resolve => (this.#resolve = resolve))
  }

  #note<Args, Answer>(answer: (args: Args) => Answer): (args: Args) => Answer {
    return args => {
      const at = performance.now()
      this.arrivals.push(at)
      this.#resolve(at)
      return answer(args)
    }
  }
}

/** Time for garbage, and for threads to release the memory of their start. */
const SETTLE_MS = 500

/** Length of the endless loop before the decision to end it. */
const SPIN_MS = 200

/** Plugins that start after the first one, which also pays what the bus starts once. */
const MORE = 2

/** Calls before those with pauses: V8 has not optimized their code yet. */
const FEW = 300
const PAUSED = 40

/** Calls of each kind. The first half is not measured. */
const COUNTS = { call_each: 2000, call_many: 200, send_bytes: 32 } as const

/**
 * Only the first plugin calls or is called, while the others are idle.
 *
 * @param whole - whether more follows its start, its memory and the calls with pauses
 */
export async function measurePlugin(load: LoadPluginHost, whole = true): Promise<Measurement> {
  const code = new HostCode()
  const host = await load(code)
  await delay(SETTLE_MS)
  const before = readTreeMemory()
  const called = code.waitForCall()
  const start = performance.now()
  const started = host.start('plugin')
  const readyMs = (await Promise.race([called, started.then(() => called)])) - start
  const plugin = await started
  await delay(SETTLE_MS)
  const memory = readTreeMemory()
  const next = whole ? await measureNext(host, memory) : {}
  await plugin.request('call_each', { count: FEW })
  const { p50: seldom } = await callEach(() => plugin.request('greet', { name: 'World' }), PAUSED)
  const calls = whole ? await measureCalls(code, plugin) : {}
  await host.close?.()
  return { ready: readyMs * 1e3, pss: memory - before, ...next, seldom: seldom!, ...calls }
}

async function measureNext(host: PluginHost, memory: number): Promise<Measurement> {
  for (const number of range(MORE)) await host.start(`next-${number}`)
  await delay(SETTLE_MS)
  return { next: (readTreeMemory() - memory) / MORE }
}

async function measureCalls(code: HostCode, plugin: Plugin): Promise<Measurement> {
  const run = async (name: keyof typeof COUNTS): Promise<number[]> => {
    code.arrivals = []
    await plugin.request(name, { count: COUNTS[name] })
    return code.arrivals.slice(code.arrivals.length / 2)
  }
  /** Two arrivals are a call and its answer apart. */
  const runEach = async (name: keyof typeof COUNTS): Promise<number> =>
    median(pairs(await run(name), (before, at) => at - before)) * 1e3
  const p50 = await runEach('call_each')
  const many = await run('call_many')
  const [first = NaN, last = NaN] = [many[0], many.at(-1)]
  const rate = ((many.length - 1) / (last - first)) * 1e3
  const bytes = await runEach('send_bytes')
  return { p50, rate, bytes, end: (await endLoop(code, plugin)) * 1e3 }
}

async function endLoop(code: HostCode, plugin: Plugin): Promise<number> {
  const called = code.waitForCall()
  plugin.request('spin', {}).catch(() => {})
  await called
  await delay(SPIN_MS)
  const start = performance.now()
  await plugin.end()
  return performance.now() - start
}

/** More starts at a time only wait for each other. */
const AT_ONCE = 10

/** Starts many plugins, calls each once, and ends them together. The first one, which is not measured, pays what the bus starts once. */
export async function measureMany(load: LoadPluginHost, count: number): Promise<Measurement> {
  const host = await load(new HostCode())
  const greetOnce = ({ request }: Plugin): Promise<unknown> => request('greet', { name: 'World' })
  await greetOnce(await host.start('first'))
  await delay(SETTLE_MS)
  const memory = readTreeMemory()
  const readCpu = startTreeCpuClock()
  const plugins: Plugin[] = []
  for (const at of range(0, count, AT_ONCE)) {
    const numbers = range(at, Math.min(at + AT_ONCE, count))
    plugins.push(...(await Promise.all(numbers.map(number => host.start(`plugin-${number}`)))))
  }
  await Promise.all(plugins.map(greetOnce))
  const cpu = readCpu()
  await delay(SETTLE_MS)
  const pss = readTreeMemory() - memory
  const before = process.cpuUsage()
  await host.close?.()
  const { user, system } = process.cpuUsage(before)
  return { cpu: cpu / count, pss: pss / count, end: (user + system) / count }
}

const PAUSE_MS = 20

/** The part of a measurement that waits between calls. Starts, the first calls and settling take the rest. */
const PAUSED_PART = 0.39

export const getPausedCalls = (ms: number): number => Math.max(1, Math.floor((ms * PAUSED_PART) / PAUSE_MS))

/** The answers that are timed: the first, the 99th after it, and the 900th after that. */
const MARKS = [1, 100, 1000] as const

/** Time for the garbage and the compilations of the calls before. */
const QUIET_MS = 100

export async function measureFewCalls(load: LoadPluginHost, { greet: call, count }: FewCallsJob): Promise<Measurement> {
  const start = performance.now()
  const host = await load(new HostCode())
  const { request } = await host.start('plugin')
  const callOnce = async (): Promise<void> => {
    const answer = await request('greet', call.args as object)
    if (answer !== call.expected) throw new Error(`greet returned ${String(answer)}; expected ${String(call.expected)}`)
  }
  const marks: number[] = []
  for (let made = 1; made <= MARKS.at(-1)!; made++) {
    await callOnce()
    if (made === MARKS[marks.length]) marks.push(performance.now())
  }
  await delay(QUIET_MS)
  const seldom = await callEach(callOnce, count)
  await host.close?.()
  const [first, second, third] = marks as [number, number, number]
  return {
    import: (first - start) * 1e3,
    first: ((second - first) / (MARKS[1] - MARKS[0])) * 1e3,
    next: ((third - second) / (MARKS[2] - MARKS[1])) * 1e3,
    ...seldom,
  }
}

/**
 * Makes calls one at a time, each after a pause. The CPU time of the process and its children contains a pause after each call. It is left
 * out if children cannot be read.
 */
async function callEach(callOnce: () => Promise<unknown>, count: number): Promise<Measurement> {
  const times: number[] = []
  await delay(PAUSE_MS)
  const readCpu = startTreeCpuClock()
  for (let made = 0; made < count; made++) {
    const start = performance.now()
    await callOnce()
    times.push(performance.now() - start)
    await delay(PAUSE_MS)
  }
  const cpu = readCpu() / count
  return { p50: median(times) * 1e3, ...(lacksProcessTree() === undefined && { cpu }) }
}
