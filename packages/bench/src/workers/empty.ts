// A worker that answers and loads nothing: the reference of a start.
import { parentPort } from 'node:worker_threads'

parentPort?.on('message', message => parentPort?.postMessage(message))
