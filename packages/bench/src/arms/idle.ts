// Arms that send nothing, each in a process of its own.
import { setTimeout as delay } from 'node:timers/promises'
import type { Arm, Arms, Measurement, Task } from '../model/scenario.js'
import type { Payload } from '../payloads/payloads.js'
import { startProcess } from '../run/fresh-process.js'
import { callArms } from './features.js'

/** Time for every thread to load the modules of a call, before the silence. */
const CALLS_MS = 50

/** Opens an arm, makes calls, and then measures CPU time (in % of a core) and memory. */
async function measureIdle(arm: string, { ms, settleMs = 0 }: Task, payload: Payload): Promise<Measurement> {
  const { rpc, kill } = startProcess()
  try {
    const { rss } = await rpc.readUsage()
    const handle = await rpc.open('latency', arm)
    await rpc.measure(handle, { loop: 'calls', ms: CALLS_MS, inFlight: 1 }, payload.id)
    await delay(settleMs)
    const [start, before] = [performance.now(), await rpc.readUsage()]
    await delay(ms)
    const after = await rpc.readUsage()
    return { cpu: ((after.cpu - before.cpu) / (performance.now() - start)) * 100, rss: after.rss - rss }
  } finally {
    await kill()
  }
}

export const idleArms = (): Arms => {
  const toIdle = ({ id, title }: Arm): Arm => ({
    id,
    title,
    open: async () => ({ measure: (task, payload) => measureIdle(id, task, payload), close: async () => {} }),
  })
  const [reference, ...others] = callArms()
  return [toIdle(reference), ...others.map(toIdle)]
}
