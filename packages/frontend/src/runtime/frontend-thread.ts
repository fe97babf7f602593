// A frontend worker, which has one frontend, or the scripts of a group that the host sends it.
import { parentPort, workerData } from 'node:worker_threads'
import {
  beat,
  type FrontendCommand,
  type FrontendWorkerData,
  openLink,
  serveTenants,
} from '@sallyport/protocol/internal'
import { joinGroup } from './script-group.js'
import { type HostConnection, startFrontend } from './start-frontend.js'

/** @param loadFunctions - see `HostConnection` */
export function runFrontendThread(loadFunctions: HostConnection['loadFunctions']): void {
  const control = parentPort!
  const data = workerData as FrontendWorkerData | undefined
  if (!data) {
    serveTenants<FrontendWorkerData>(control, (host, member) => joinGroup(host, member, loadFunctions))
    return
  }
  const { heartbeat, ...start } = data
  beat(heartbeat)
  startFrontend(start, {
    report: report => control.postMessage(report),
    onCommand: handle =>
      control.on('message', (command: FrontendCommand) => {
        if (command.type === 'stop') return handle(command)
        handle({ ...command, link: openLink(command.link, true) })
      }),
    loadFunctions,
  })
}
