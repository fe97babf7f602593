// The reference of most figures: a bare MessagePort between two workers, where the bus has its frontend and its core.
import { MessageChannel } from 'node:worker_threads'
import type { Arm } from '../arm.js'
import { startWorker, threadArm } from './thread.js'

export const rawPort: Arm = {
  id: 'raw',
  title: 'raw MessagePort',
  open: async () => {
    const { port1, port2 } = new MessageChannel()
    const echo = startWorker('raw-echo', { port: port2 }, [port2])
    return threadArm(startWorker('raw-measure', { port: port1 }, [port1]), echo)
  },
}
