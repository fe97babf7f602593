// The measuring thread of the peers: one and the same for all of them, so that what differs is the peer alone.
import { parentPort, type MessagePort } from 'node:worker_threads'
import { PEERS, type PeerName } from '../peers/index.js'
import { loopsOf } from './loops.js'
import { serve, type Reply, type Request } from './serve.js'
import { callsOnly } from './subject.js'

/** To both threads: one more peer, and its end of a channel. */
export interface PairPort {
  peer: PeerName
  port: MessagePort
}

/** To the measuring thread, and what it answers. */
export interface PairRequest {
  peer: PeerName
  request: Request
}
export interface PairReply {
  peer: PeerName
  reply: Reply
}

/** From the answering thread: this peer will never answer. */
export interface PairFailure {
  peer: PeerName
  failure: string
}

type Answer = (request: Request) => Promise<Reply>

const answers = new Map<PeerName, Answer>()

function connect({ peer: name, port }: PairPort): Answer {
  const loops = PEERS[name]
    .load()
    .then(({ peer }) => peer.connect(port))
    .then(call => loopsOf(callsOnly(call)))
  // One that fails says so in its first answer.
  loops.catch(() => {})
  return serve(async (task, calls) => (await loops)(task, calls))
}

parentPort?.on('message', (message: PairPort | PairRequest) => {
  const { peer } = message
  if ('port' in message) answers.set(peer, connect(message))
  else
    void answers.get(peer)!(message.request).then(reply => parentPort?.postMessage({ peer, reply } satisfies PairReply))
})
