// The measuring thread of NATS's own request and reply.
import { connect } from '@nats-io/transport-node'
import { workerData } from 'node:worker_threads'
import { loopsOf } from './loops.js'
import { natsSubject, type PlainNats } from './nats-subject.js'
import { serveParent } from './serve-parent.js'

const plain = workerData as PlainNats
const connection = await connect({ servers: plain.url, noAsyncTraces: plain.tuned })

serveParent(loopsOf(natsSubject(connection, plain)))
