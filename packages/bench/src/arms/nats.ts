// Two threads that meet over a NATS server, as two processes on two machines would: NATS's own request and reply.
import { once } from 'node:events'
import type { Arm } from '../arm.js'
import { readVersionOf } from '../run/package-info.js'
import type { PlainNats } from '../workers/nats-subject.js'
import { useNatsServer } from './nats-server.js'
import { startWorker, threadArm } from './thread.js'

let opened = 0

/** Looks for the version of NATS's client when it is asked for. */
const plainArm = (id: string, title: string, tuned: boolean): Arm => ({
  id,
  title: `${title} ${readVersionOf('@nats-io/transport-node')}${tuned ? ', tuned' : ''}`,
  carries: 'JSON text',
  checks: [],
  open: async () => {
    const { url, release } = await useNatsServer()
    const plain: PlainNats = { url, prefix: `bench-${opened++}`, tuned }
    const answering = startWorker('nats-answer', plain)
    try {
      await once(answering, 'message')
    } catch (error) {
      await release()
      throw error
    }
    const { measure, close } = threadArm(startWorker('nats-measure', plain), answering)
    return { measure, close: async () => void (await Promise.all([close(), release()])) }
  },
})

export const plainNats = (): Arm => plainArm('nats', 'NATS', false)
export const tunedNats = (): Arm => plainArm('nats-tuned', 'NATS', true)
