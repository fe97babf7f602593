// The answering thread of a peer.
import { workerData, type MessagePort } from 'node:worker_threads'
import type { PeerName } from '../peers/index.js'
import { greet, readKib } from './handlers.js'
import { loadPeer } from './load-peer.js'

const { peer, port } = workerData as { peer: PeerName; port: MessagePort }

const { serve } = await loadPeer(peer)
serve(port, { greet, read_kib: readKib })
