// A process with one arm and nothing else: opens it, calls for a moment, and reads its CPU clock and its memory in the silence
// after that. What the process itself takes before is not counted.
import { setTimeout as delay } from 'node:timers/promises'
import { tellApart } from '../arms/apart.js'
import { callArms } from '../arms/calls.js'
import { usualCall } from '../payloads/greet.js'
import type { Measurement } from '../task.js'
import { startCpuClock } from './cpu-clock.js'

/** Long enough for every thread to have loaded what a call takes, in milliseconds. */
const CALLS_MS = 50

async function measure(armId: string, ms: number, settleMs: number): Promise<Measurement> {
  const arm = callArms().find(({ id }) => id === armId)
  if (!arm) throw new Error(`no arm ${armId}`)
  const before = process.memoryUsage.rss()
  const { measure: run, close } = await arm.open()
  try {
    await run({ loop: 'calls', ms: CALLS_MS, inFlight: 1 }, usualCall)
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

const [armId = '', ms, settleMs] = process.argv.slice(2)
await tellApart(() => measure(armId, Number(ms), Number(settleMs)))
