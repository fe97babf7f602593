// Measures one plugin, of which this process is the host.
import { setTimeout as delay } from 'node:timers/promises'
import { readProcessTree } from '../run/process-tree.js'
import type { Measurement } from '../model/scenario.js'
import { median } from '../statistics/median.js'
import { HostCode } from './host-code.js'
import type { LoadPluginHost } from './plugin-host.js'

/** Time for garbage and for threads to release the memory of their start. */
const SETTLE_MS = 300

/** Calls of each kind. The first half is not measured. */
const COUNTS = { call_each: 2000, call_many: 200, send_bytes: 32 } as const

export async function measurePlugin(load: LoadPluginHost): Promise<Measurement> {
  const code = new HostCode()
  const host = await load(code)
  await delay(SETTLE_MS)
  const before = readProcessTree()
  const called = code.waitForCall()
  const start = performance.now()
  const started = host.start()
  const ready = (await Promise.race([called, started.then(() => called)])) - start
  const plugin = await started
  await delay(SETTLE_MS)
  const pss = readProcessTree().pss - before.pss

  const run = async (name: keyof typeof COUNTS): Promise<number[]> => {
    code.reset()
    await plugin.request(name, { count: COUNTS[name] })
    return code.arrivals.slice(code.arrivals.length / 2)
  }
  const call = median(getIntervals(await run('call_each')))
  const many = await run('call_many')
  const bytes = median(getIntervals(await run('send_bytes')))
  const end = await plugin.endLoop()
  await host.close?.()
  return {
    ...{ ready: ready * 1e3, pss, p50: call * 1e3 },
    rate: ((many.length - 1) / (many.at(-1)! - many[0]!)) * 1e3,
    ...{ bytes: bytes * 1e3, end: end * 1e3 },
  }
}

/** Two arrivals are a call and its answer apart. */
const getIntervals = (arrivals: readonly number[]): number[] =>
  arrivals.slice(1).map((at, before) => at - arrivals[before]!)
