// The reference of a start: one worker that loads nothing, from `new Worker` to its first reply.
import type { Arm } from '../arm.js'
import type { Measurement } from '../task.js'
import { sharedClock } from '../workers/bench-event.js'
import { startWorker } from './thread.js'

export const emptyWorker: Arm = {
  id: 'worker',
  title: 'one empty Worker',
  open: async () => ({ measure: startOnce, close: async () => {} }),
}

async function startOnce(): Promise<Measurement> {
  const start = sharedClock()
  const worker = startWorker('empty')
  try {
    await new Promise((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
      worker.postMessage('ping')
    })
    return { time: sharedClock() - start }
  } finally {
    await worker.terminate()
  }
}
