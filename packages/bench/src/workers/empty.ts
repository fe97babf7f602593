// The smallest worker that answers, which loads nothing: the reference of everything that starts a worker.
import { parentPort } from 'node:worker_threads'

parentPort?.on('message', message => parentPort?.postMessage(message))
