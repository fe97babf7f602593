// One more frontend of the reference, which only listens.
import { workerData, type MessagePort } from 'node:worker_threads'
import { countFan, FAN_SEEN } from './fan-out.js'
import type { RawMessage } from './raw-subject.js'

const { port } = workerData as { port: MessagePort }
const count = countFan(value => port.postMessage({ event: FAN_SEEN, value }))

port.on('message', ({ value }: RawMessage) => count(value))
