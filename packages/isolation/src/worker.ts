// The entry of an isolation worker, which has one gate, or those that the host sends it.
import { parentPort, workerData } from 'node:worker_threads'
import { type GateThreadData, type GateWorkerData, serveMembers } from '@sallyport/protocol/internal/contract'
import { reportRejection } from './hook/hook-watch.js'
import { type GateHost, runGate, warmUpGate } from './run-gate.js'

const host = parentPort!
const { isShared, preloadsHook, warmsUp }: GateThreadData = workerData

// An error is that of the gate, which imports it too.
if (preloadsHook) import('./hook/load.js').catch(() => {})
if (warmsUp) void warmUpGate()

if (isShared) serveMembers(host, runGate)
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
