// The other side of NATS's own request and reply: in a thread of its own, as core is.
import { connect } from '@nats-io/transport-node'
import { parentPort, workerData } from 'node:worker_threads'
import { answerOverNats, type PlainNats } from './nats-subject.js'

const plain = workerData as PlainNats
const connection = await connect({ servers: plain.url, noAsyncTraces: plain.tuned })

await answerOverNats(connection, plain)
parentPort?.postMessage('ready')
