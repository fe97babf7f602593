// The entry of a frontend worker.
import { openLink, type FrontendWorkerData } from '@sallyport/protocol'
import { parentPort, workerData } from 'node:worker_threads'
import { startFrontend } from './start-frontend.js'

const { link, gate, ...start } = workerData as FrontendWorkerData
const control = parentPort!

startFrontend(start, {
  open: () => [openLink(link, true), gate && openLink(gate, true)],
  tell: report => control.postMessage(report),
  hear: take => control.on('message', take),
})
