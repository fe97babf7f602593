// Measures the start and the memory of many plugins of one kind, of which this process is the host.
import { range } from 'd3-array'
import { setTimeout as delay } from 'node:timers/promises'
import type { Measurement } from '../scenarios/scenario.js'
import { readTreeCpu, readTreeMemory } from '../run/process-tree.js'
import { HostCode } from './host-code.js'
import { SETTLE_MS } from './plugin-host.js'
import { getPluginKind } from './plugin-kinds.js'

/**
 * Starts `size` plugins at once.
 *
 * @returns `ready` and `cpu`: time and CPU time until each has called the host, in µs · `pss`: memory of each when all are idle, in bytes
 */
export async function measureDensity(kind: string, size: number): Promise<Measurement> {
  const code = new HostCode()
  const host = await getPluginKind(kind)(code)
  await delay(SETTLE_MS)
  const [memory, cpu] = [readTreeMemory(), readTreeCpu()]
  const called = code.waitForCalls(size)
  const start = performance.now()
  const started = Promise.all(range(size).map(number => host.start(`plugin-${number}`)))
  const ready = (await Promise.race([called, started.then(() => called)])) - start
  const cpuUntilReady = readTreeCpu() - cpu
  await started
  await delay(SETTLE_MS)
  const pss = (readTreeMemory() - memory) / size
  await host.close?.()
  return { ready: ready * 1e3, cpu: cpuUntilReady, pss }
}
