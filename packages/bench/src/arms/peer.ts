// The arms of the peers: two workers and a MessageChannel between them, as the reference has, with a library on both sides.
import { MessageChannel } from 'node:worker_threads'
import type { Arm } from '../arm.js'
import { readVersionOf } from '../package-info.js'
import { PEERS, type PeerName } from '../peers/index.js'
import { startWorker, threadArm } from './thread.js'

const peerArm = (peer: PeerName): Arm => ({
  id: peer,
  title: `${peer} ${readVersionOf(peer)}`,
  open: async () => {
    const { port1, port2 } = new MessageChannel()
    const echo = startWorker('peer-echo', { peer, port: port2 }, [port2])
    return threadArm(startWorker('peer-measure', { peer, port: port1 }, [port1]), echo)
  },
})

export const peerArms = (): Arm[] => (Object.keys(PEERS) as PeerName[]).map(peerArm)
