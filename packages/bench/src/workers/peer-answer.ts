// The answering thread of the peers: each has a port of its own, and is loaded when that comes.
import { parentPort } from 'node:worker_threads'
import { PEERS } from '../peers/index.js'
import type { PairFailure, PairPort } from './peer-measure.js'
import * as functions from './pool-functions.js'

parentPort?.on('message', ({ peer: name, port }: PairPort) => {
  PEERS[name]
    .load()
    .then(({ peer }) => peer.serve?.(port, { ...functions }))
    .catch((error: unknown) => parentPort?.postMessage({ peer: name, failure: String(error) } satisfies PairFailure))
})
