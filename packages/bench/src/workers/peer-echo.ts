// The answering thread of a peer.
import { workerData, type MessagePort } from 'node:worker_threads'
import { PEERS, type PeerName } from '../peers/index.js'
import { greet, readKib } from './handlers.js'

const { peer, port } = workerData as { peer: PeerName; port: MessagePort }

const loaded = await PEERS[peer]()
loaded.peer.serve(port, { greet, read_kib: readKib })
