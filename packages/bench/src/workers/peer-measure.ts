// The measuring thread of a peer.
import { workerData, type MessagePort } from 'node:worker_threads'
import { PEERS, type PeerName } from '../peers/index.js'
import { loopsOf } from './loops.js'
import { serveParent } from './serve-parent.js'
import { callsOnly } from './subject.js'

const { peer, port } = workerData as { peer: PeerName; port: MessagePort }

const loaded = await PEERS[peer]()
serveParent(loopsOf(callsOnly(loaded.peer.connect(port))))
