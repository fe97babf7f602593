// A frontend worker, which has one frontend, or the scripts of a group that the host sends it.
import { parentPort, workerData } from 'node:worker_threads'
import {
  beat,
  type FrontendCommand,
  type FrontendPreparation,
  type FrontendWorkerData,
  serveMembers,
} from '@sallyport/protocol/internal/contract'
import { openLink } from '@sallyport/protocol/internal/link'
import { joinGroup } from './script-group.js'
import { enterSandboxOnce, type HostConnection, startFrontend } from './start-frontend.js'

/** @param loadFunctions - see `HostConnection` */
export function runFrontendThread(loadFunctions: HostConnection['loadFunctions']): void {
  const control = parentPort!
  const data = workerData as FrontendWorkerData | FrontendPreparation | undefined
  if (!data || !('label' in data)) {
    // An error is that of the first script.
    if (data) enterSandboxOnce(data).catch(() => {})
    serveMembers<FrontendWorkerData>(control, (host, member) => joinGroup(host, member, loadFunctions))
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
