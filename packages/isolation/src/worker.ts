// The entry of an isolation worker, which has one gate, or those that the host sends it.
import { parentPort, workerData } from 'node:worker_threads'
import { type GateThreadData, type GateWorkerData, serveTenants } from '@sallyport/protocol/internal'
import { warmUpGate } from './gate/warm-up-gate.js'
import { reportRejection } from './hook/watchdog.js'
import { type GateHost, runGate } from './run-gate.js'

const host = parentPort!
const { isShared, hasHook } = workerData as GateThreadData

// Loaded while the host has no frontend for the gate yet. An error is that of the gate which needs it.
if (hasHook) import('./hook/load.js').catch(() => {})
void warmUpGate()

if (isShared) serveTenants(host, runGate)
else host.once('message', (data: GateWorkerData) => runGate(createGateHost(), data))

const createGateHost = (): GateHost => ({
  postMessage: (message, transfer) => host.postMessage(message, transfer),
  onMessage: handle => void host.on('message', handle),
  onTerminate: () => {},
  failThread: error => {
    throw error
  },
  exit: code => process.exit(code),
})

process.on('unhandledRejection', reportRejection)
