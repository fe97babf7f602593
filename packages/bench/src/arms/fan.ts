// One core and many frontends, each in a worker: one measures, the others only listen.
import { MessageChannel } from 'node:worker_threads'
import type { Arm } from '../arm.js'
import { FAN_SIZES } from '../workers/fan-out.js'
import { busArm, type BusSettings } from './bus.js'
import { startWorker, threadArm } from './thread.js'

const LISTENERS = Math.max(...FAN_SIZES) - 1

export const fanRaw: Arm = {
  id: 'raw',
  title: 'raw MessagePort',
  open: async () => {
    const { port1, port2 } = new MessageChannel()
    const channels = Array.from({ length: LISTENERS }, () => new MessageChannel())
    const far = channels.map(channel => channel.port2)
    const others = channels.map(({ port1: port }) => startWorker('raw-listener', { port }, [port]))
    const echo = startWorker('raw-echo', { port: port2, listeners: far }, [port2, ...far])
    return threadArm(startWorker('raw-measure', { port: port1 }, [port1]), echo, ...others)
  },
}

const fanArm = (link: BusSettings['link'] & string): Arm =>
  busArm(`${link}-json`, `${link} JSON`, { codec: 'json', link, listeners: LISTENERS })

export const fanPort: Arm = fanArm('port')
export const fanRing: Arm = fanArm('ring')
