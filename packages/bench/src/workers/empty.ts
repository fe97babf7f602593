// The smallest worker that answers: the reference of everything that has to start one.
import { parentPort } from 'node:worker_threads'

parentPort?.once('message', (message: unknown) => parentPort?.postMessage(message))
