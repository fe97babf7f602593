// The entry of an isolation worker, which has one gate, or those that the host sends it.
import { parentPort, workerData } from 'node:worker_threads'
import { type GateWorkerData, serveTenants } from '@sallyport/protocol/internal'
import { reportRejection } from './hook/watchdog.js'
import { runGate } from './run-gate.js'

const host = parentPort!
const data = workerData as GateWorkerData | undefined

if (data) {
  runGate(
    {
      postMessage: (message, transfer) => host.postMessage(message, transfer),
      onMessage: handle => void host.on('message', handle),
      onTerminate: () => {},
      failThread: error => {
        throw error
      },
      exit: code => process.exit(code),
    },
    data,
  )
} else serveTenants(host, runGate)

process.on('unhandledRejection', reportRejection)
