// A worker that answers, and crashes when it is told to: the reference of what is started again.
import { parentPort } from 'node:worker_threads'
import { crashSoon } from './crash.js'

parentPort?.on('message', (message: 'ping' | 'crash') => {
  parentPort?.postMessage(message === 'crash' ? crashSoon() : message)
})
