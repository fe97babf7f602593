// Several scripts in one thread or process (`sandbox: 'quickjs'`): each has a client, output and errors of its own.
import { nextTick } from 'node:process'
import {
  beat,
  type FrontendCommand,
  type FrontendWorkerData,
  type MemberConnection,
} from '@sallyport/protocol/internal/contract'
import type { LinkEndpoint } from '@sallyport/protocol/internal/link'
import type { Link } from '@sallyport/protocol/internal/wire'
import { type GroupMember, type HostCommand, startFrontend } from './start-frontend.js'

/** The scripts whose code runs in this tick. Usually it is one. */
const busy = new Set<MemberConnection>()

/** Starts a script in this thread or process. @param open - opens a link of the host */
export function joinGroup(
  host: MemberConnection,
  { heartbeat, ...start }: FrontendWorkerData,
  open: (endpoint: LinkEndpoint) => Link,
): void {
  const { stop } = beat(heartbeat)
  const exit = (code: number): void => {
    stop()
    host.exit(code)
  }
  const group: GroupMember = {
    onEnter: () => enter(host),
    isTerminated: () => host.isTerminated(),
    onTerminate: release =>
      host.onTerminate(() => {
        release()
        exit(1)
      }),
    exit,
  }
  startFrontend(start, {
    report: report => host.postMessage(report),
    onCommand: handle => host.onMessage(message => handle(toHostCommand(message as FrontendCommand, open))),
    group,
  })
}

export const toHostCommand = (command: FrontendCommand, open: (endpoint: LinkEndpoint) => Link): HostCommand =>
  command.type === 'link' ? { ...command, link: open(command.link) } : command

/** The host blames a script for a blocked thread if it is the only one whose code runs. */
function enter(member: MemberConnection): void {
  if (busy.has(member)) return
  member.setBusy(true)
  // A tick that a promise adds with `nextTick` runs once all promises have settled, including those that others create.
  if (busy.add(member).size === 1) queueMicrotask(() => nextTick(leaveAll))
}

function leaveAll(): void {
  for (const member of busy) member.setBusy(false)
  busy.clear()
}
