// The entry of a frontend worker.
import { parentPort, workerData } from 'node:worker_threads'
import { beat, type FrontendCommand, type FrontendWorkerData, openLink } from '@sallyport/protocol/internal'
import { startFrontend } from './runtime/start-frontend.js'

const { heartbeat, ...start } = workerData as FrontendWorkerData
const control = parentPort!
beat(heartbeat)

startFrontend(start, {
  report: report => control.postMessage(report),
  onCommand: handle =>
    control.on('message', (command: FrontendCommand) => {
      if (command.type === 'stop') return handle(command)
      handle({ ...command, link: openLink(command.link, true) })
    }),
  loadFunctions: () => import('./index.js'),
})
