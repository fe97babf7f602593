// Several scripts in one thread (`sandbox: 'quickjs'`): each has a client, output and errors of its own.
import { nextTick } from 'node:process'
import {
  beat,
  type FrontendCommand,
  type FrontendWorkerData,
  type MemberConnection,
} from '@sallyport/protocol/internal/contract'
import { openLink } from '@sallyport/protocol/internal/link'
import { type GroupMember, type HostConnection, startFrontend } from './start-frontend.js'
import { MemberOutput } from './member-output.js'

type Member = Pick<MemberConnection, 'setBusy'>

/** The scripts whose code runs in this tick. Usually it is one. */
const busy = new Set<Member>()

/** Starts a script in this thread. */
export function joinGroup(
  host: MemberConnection,
  { heartbeat, ...start }: FrontendWorkerData,
  loadFunctions: HostConnection['loadFunctions'],
): void {
  const member: Member = { setBusy: host.setBusy }
  const { stop: stopHeartbeat } = beat(heartbeat)
  const output = new MemberOutput(host)

  function leave(code: number): void {
    stopHeartbeat()
    host.exit(code)
  }

  const group: GroupMember = {
    print: (stream, text) => output.print(stream, text),
    onEnter: () => enter(member),
    isTerminated: () => host.isTerminated(),
    onTerminate: release =>
      host.onTerminate(() => {
        release()
        leave(1)
      }),
    exit: code => void output.flushed().then(() => leave(code)),
  }
  startFrontend(start, {
    report: report => host.postMessage(report),
    onCommand: handle =>
      host.onMessage(message => {
        const command = message as FrontendCommand
        handle(command.type === 'stop' ? command : { ...command, link: openLink(command.link, true) })
      }),
    loadFunctions,
    group,
  })
}

/** The host blames a script for a blocked thread if it is the only one whose code runs. */
function enter(member: Member): void {
  if (busy.has(member)) return
  member.setBusy(true)
  // A tick that a promise adds with `nextTick` runs once all promises have settled, including those that others create.
  if (busy.add(member).size === 1) queueMicrotask(() => nextTick(leaveAll))
}

function leaveAll(): void {
  for (const member of busy) member.setBusy(false)
  busy.clear()
}
