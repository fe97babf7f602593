// The smallest worker that answers, which loads nothing: the reference of everything that starts a worker.
import { parentPort } from 'node:worker_threads'

parentPort?.on('message', (message: 'ping' | 'crash') => {
  if (message === 'ping') parentPort?.postMessage(message)
  else void import('../loops/handlers.js').then(({ crashSoon }) => parentPort?.postMessage(crashSoon()))
})
