// A host that serves HTTP and calls its own bus in the same thread, and a second thread that requests from it.
import { once } from 'node:events'
import type { Arm } from '../arm.js'
import { startWorker, threadArm } from './thread.js'

const httpArm = (id: string, title: string, poll: boolean): Arm => ({
  id,
  title,
  open: async () => {
    const host = startWorker('http-host', { poll })
    const [port] = (await once(host, 'message')) as [number]
    return threadArm(startWorker('http-measure', { port }), host)
  },
})

export const httpNotPolled: Arm = httpArm('poll-off', 'poll: false', false)
export const httpPolled: Arm = httpArm('poll-on', 'polled', true)
