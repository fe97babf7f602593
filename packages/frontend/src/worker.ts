// The entry of a frontend worker.
import { parentPort, workerData } from 'node:worker_threads'
import { beat, type FrontendCommand, type FrontendWorkerData, openLink } from '@sallyport/protocol'
import { startFrontend } from './runtime/start-frontend.js'

const { heartbeat, ...start } = workerData as FrontendWorkerData
const control = parentPort!
beat(heartbeat)

startFrontend(start, {
  tell: report => control.postMessage(report),
  hear: take =>
    control.on('message', (command: FrontendCommand) => {
      if (command.type === 'stop') return take(command)
      const { link, gate } = command
      take({ type: 'link', core: openLink(link, true), gate: gate && openLink(gate, true) })
    }),
})
