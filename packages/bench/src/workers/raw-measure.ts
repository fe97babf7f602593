// The measuring thread of the reference.
import { workerData, type MessagePort } from 'node:worker_threads'
import { loopsOf } from './loops.js'
import { rawSubject } from './raw-subject.js'
import { serveParent } from './serve-parent.js'

const { port } = workerData as { port: MessagePort }

serveParent(loopsOf(rawSubject(port)))
