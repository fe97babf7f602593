// Measures a slow consumer in a process where nothing else is, and how much its memory grows meanwhile.
import { tellApart } from '../arms/apart.js'
import { SLOW_ARMS } from '../arms/slow.js'
import { usualCall } from '../payloads/greet.js'
import type { Measurement } from '../task.js'

const LOOK_MS = 5
const [, , id, ms] = process.argv

async function measure(): Promise<Measurement> {
  const arm = SLOW_ARMS.find(one => one.id === id)
  if (!arm) throw new Error(`no arm ${id}`)
  const opened = await arm.open()
  const before = process.memoryUsage.rss()
  let most = before
  const look = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), LOOK_MS)
  try {
    const figures = await opened.measure({ loop: 'slow-consumer', ms: Number(ms) }, usualCall)
    return { ...figures, rss: Math.max(most, process.memoryUsage.rss()) - before }
  } finally {
    clearInterval(look)
    await opened.close()
  }
}

await tellApart(measure)
