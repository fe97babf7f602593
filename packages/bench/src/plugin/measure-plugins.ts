// Measures plugins of one kind, of which this process is the host.
import { range } from 'd3-array'
import { setTimeout as delay } from 'node:timers/promises'
import { readProcessTree } from '../run/process-tree.js'
import type { Measurement } from '../model/scenario.js'
import { median } from '../statistics/median.js'
import { callEach } from './few-calls.js'
import { HostCode } from './host-code.js'
import { type LoadPluginHost, type Plugin, SPIN_MS } from './plugin-host.js'
import { getPluginKind } from './plugin-kinds.js'

export interface PluginsJob {
  kind: string
  /** The number of plugins. */
  size: number
  /** Measures more than one call at a time, and the end of a plugin. */
  life: boolean
}

/** Time for garbage and for threads to release the memory of their start. */
const SETTLE_MS = 500

/** Plugins that start after the first one, which also pays what the bus starts once. */
const MORE = 2

/** Calls before those with pauses: V8 has not optimized their code yet. */
const FEW = 300
const PAUSES = { pauseMs: 20, count: 40 }

/** Calls of each kind. The first half is not measured. */
const COUNTS = { call_each: 2000, call_many: 200, send_bytes: 32 } as const

export const measurePlugins = ({ kind, size, life }: PluginsJob): Promise<Measurement> =>
  measureHost(getPluginKind(kind), size, life)

/** Only the first plugin calls, while the others are idle. */
export async function measureHost(load: LoadPluginHost, size: number, life: boolean): Promise<Measurement> {
  if (size < 1) throw new Error(`Invalid number of plugins: ${size}. Start at least 1.`)
  const code = new HostCode()
  const host = await load(code)
  await delay(SETTLE_MS)
  const before = readProcessTree()
  const called = code.waitForCalls(size)
  const start = performance.now()
  const started = Promise.all(range(size).map(number => host.start(`plugin-${number}`)))
  const ready = (await Promise.race([called, started.then(() => called)])) - start
  const [plugin] = await started
  await delay(SETTLE_MS)
  const { pss, cpu } = readProcessTree()
  const figures: Measurement = { ready: ready * 1e3, pss: pss - before.pss, cpu: cpu - before.cpu }

  const run = async (name: keyof typeof COUNTS): Promise<number[]> => {
    code.reset()
    await plugin!.request(name, { count: COUNTS[name] })
    return code.arrivals.slice(code.arrivals.length / 2)
  }
  /** Two arrivals are a call and its answer apart. */
  const runEach = async (name: keyof typeof COUNTS): Promise<number> => {
    const arrivals = await run(name)
    return median(arrivals.slice(1).map((at, index) => at - arrivals[index]!)) * 1e3
  }
  if (life) {
    for (const number of range(MORE)) await host.start(`next-${number}`)
    await delay(SETTLE_MS)
    figures['next'] = (readProcessTree().pss - pss) / MORE
    await plugin!.request('call_each', { count: FEW })
    figures['seldom'] = (await callEach(() => plugin!.request('greet', { name: 'World' }), PAUSES)).p50!
  }
  figures['p50'] = await runEach('call_each')
  if (life) {
    const many = await run('call_many')
    figures['rate'] = ((many.length - 1) / (many.at(-1)! - many[0]!)) * 1e3
    figures['bytes'] = await runEach('send_bytes')
    figures['end'] = (await endLoop(code, plugin!)) * 1e3
  }
  await host.close?.()
  return figures
}

/** Returns the time from the decision to end a plugin in an endless loop until it is gone, in ms. */
async function endLoop(code: HostCode, plugin: Plugin): Promise<number> {
  const called = code.waitForCalls()
  const settled = plugin.request('spin', {}).catch(() => {})
  await called
  await delay(SPIN_MS)
  const start = performance.now()
  await plugin.end(settled)
  return performance.now() - start
}
