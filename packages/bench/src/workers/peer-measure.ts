// The measuring thread of a peer.
import { workerData, type MessagePort } from 'node:worker_threads'
import type { PeerName } from '../peers/index.js'
import { loadPeer } from './load-peer.js'
import { loopsOf } from './loops.js'
import { serveParent } from './serve-parent.js'
import { callsOnly } from './subject.js'

const { peer, port } = workerData as { peer: PeerName; port: MessagePort }

const { connect } = await loadPeer(peer)
serveParent(loopsOf(callsOnly(connect(port))))
