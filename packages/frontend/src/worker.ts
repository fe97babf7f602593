// The entry of a frontend worker.
import { beat, openLink, type FrontendCommand, type FrontendWorkerData } from '@sallyport/protocol'
import { parentPort, workerData } from 'node:worker_threads'
import { startFrontend } from './start-frontend.js'

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
