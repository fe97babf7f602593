// Measures plugins of one kind, of which this process is the host.
import { range } from 'd3-array'
import { setTimeout as delay } from 'node:timers/promises'
import { readTreeMemory } from '../run/process-tree.js'
import type { Measurement } from '../scenarios/scenario.js'
import { median } from '../shared/statistics.js'
import { callEach } from './few-calls.js'
import { HostCode } from './host-code.js'
import { type LoadPluginHost, type Plugin, SETTLE_MS, SPIN_MS } from './plugin-host.js'
import { getPluginKind } from './plugin-kinds.js'

/** Plugins that start after the first one, which also pays what the bus starts once. */
const MORE = 2

/** Calls before those with pauses: V8 has not optimized their code yet. */
const FEW = 300
const PAUSED = 40

/** Calls of each kind. The first half is not measured. */
const COUNTS = { call_each: 2000, call_many: 200, send_bytes: 32 } as const

/** @param kind - the id of a kind of plugin */
export const measurePlugins = (kind: string): Promise<Measurement> => measureHost(getPluginKind(kind))

/** Only the first plugin calls or is called, while the others are idle. */
export async function measureHost(load: LoadPluginHost): Promise<Measurement> {
  const code = new HostCode()
  const host = await load(code)
  await delay(SETTLE_MS)
  const before = readTreeMemory()
  const called = code.waitForCalls()
  const start = performance.now()
  const started = host.start('plugin')
  const readyMs = (await Promise.race([called, started.then(() => called)])) - start
  const plugin = await started
  await delay(SETTLE_MS)
  const memory = readTreeMemory()
  for (const number of range(MORE)) await host.start(`next-${number}`)
  await delay(SETTLE_MS)
  const figures: Measurement = {
    ready: readyMs * 1e3,
    pss: memory - before,
    next: (readTreeMemory() - memory) / MORE,
  }
  const greet = (): Promise<unknown> => plugin.request('greet', { name: 'World' })
  await plugin.request('call_each', { count: FEW })
  figures['seldom'] = (await callEach(greet, PAUSED)).p50!
  Object.assign(figures, await measureCalls(code, plugin))
  await host.close?.()
  return figures
}

/** Measures calls that the plugin makes, and its end. */
async function measureCalls(code: HostCode, plugin: Plugin): Promise<Measurement> {
  const run = async (name: keyof typeof COUNTS): Promise<number[]> => {
    code.reset()
    await plugin.request(name, { count: COUNTS[name] })
    return code.arrivals.slice(code.arrivals.length / 2)
  }
  /** Two arrivals are a call and its answer apart. */
  const runEach = async (name: keyof typeof COUNTS): Promise<number> => {
    const each = await run(name)
    return median(each.slice(1).map((at, index) => at - each[index]!)) * 1e3
  }
  const p50 = await runEach('call_each')
  const many = await run('call_many')
  const rate = ((many.length - 1) / (many.at(-1)! - many[0]!)) * 1e3
  const bytes = await runEach('send_bytes')
  return { p50, rate, bytes, end: (await endLoop(code, plugin)) * 1e3 }
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
