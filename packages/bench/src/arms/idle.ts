// What threads cost that do nothing: started, left alone, and their CPU time read after a while. Each measurement starts
// its own, so that nothing else is open.
import { setTimeout as delay } from 'node:timers/promises'
import type { Arm } from '../arm.js'
import type { Measurement, Task } from '../task.js'
import { startCpuClock } from '../workers/cpu-clock.js'

/** The same arm, measured while it is silent: in % of a core. */
export const idle = (arm: Arm): Arm => ({
  id: arm.id,
  title: arm.title,
  open: async () => ({ measure: task => measureSilence(arm, task), close: async () => {} }),
})

async function measureSilence({ open }: Arm, { ms, settleMs = 0 }: Task): Promise<Measurement> {
  const silent = await open()
  try {
    await delay(settleMs)
    const readCpu = startCpuClock()
    const start = performance.now()
    await delay(ms)
    return { cpu: (readCpu() / 1e3 / (performance.now() - start)) * 100 }
  } finally {
    await silent.close()
  }
}
