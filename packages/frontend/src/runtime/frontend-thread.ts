// A frontend worker, which has one frontend, or the scripts of a group that the host sends it.
import { parentPort, workerData } from 'node:worker_threads'
import {
  beat,
  type FrontendCommand,
  type FrontendPreparation,
  type FrontendWorkerData,
  serveMembers,
} from '@sallyport/protocol/internal/contract'
import { type LinkEndpoint, openLink } from '@sallyport/protocol/internal/link'
import { throwLater } from '@sallyport/protocol/internal/util'
import type { Link } from '@sallyport/protocol/internal/wire'
import { enterSandboxOnce } from './enter-sandbox.js'
import { joinGroup, toHostCommand } from './script-group.js'
import { type HostConnection, startFrontend } from './start-frontend.js'

const open = (endpoint: LinkEndpoint): Link => openLink(endpoint, true)

/** @param loadFunctions - see `HostConnection` */
export function runFrontendThread(loadFunctions: NonNullable<HostConnection['loadFunctions']>): void {
  const control = parentPort!
  const data: FrontendWorkerData | FrontendPreparation | undefined = workerData
  if (!data || !('label' in data)) {
    // An error is that of the scripts so far. It ends the thread: its cause can pass, such as a lack of descriptors, and no script could start here.
    if (data) enterSandboxOnce(data).catch(throwLater)
    serveMembers<FrontendWorkerData>(control, (member, start) => joinGroup(member, start, open))
    return
  }
  const { heartbeat, ...start } = data
  beat(heartbeat)
  startFrontend(start, {
    report: report => control.postMessage(report),
    onCommand: handle => control.on('message', (command: FrontendCommand) => handle(toHostCommand(command, open))),
    loadFunctions,
  })
}
