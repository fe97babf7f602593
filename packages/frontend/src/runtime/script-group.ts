// Several scripts in one thread (`sandbox: 'quickjs'`): each has a client, output and errors of its own.
import { nextTick } from 'node:process'
import type { FrontendStart, MemberConnection } from '@sallyport/protocol/internal/contract'
import { type GroupMember, type HostConnection, startFrontend } from './start-frontend.js'

type Member = Pick<MemberConnection, 'setBusy'>

/** The scripts whose code runs in this tick. Usually it is one. */
const busy = new Set<Member>()

/** The connection of a script to its host. */
export interface ScriptConnection
  extends
    Pick<HostConnection, 'report' | 'onCommand'>,
    Pick<MemberConnection, 'onTerminate' | 'setBusy' | 'isTerminated' | 'exit'> {}

/** Starts a script in this thread. */
export function joinGroup(
  host: ScriptConnection,
  start: FrontendStart,
  loadFunctions: HostConnection['loadFunctions'],
): void {
  const member: Member = { setBusy: host.setBusy }
  const group: GroupMember = {
    onEnter: () => enter(member),
    isTerminated: () => host.isTerminated(),
    onTerminate: release =>
      host.onTerminate(() => {
        release()
        host.exit(1)
      }),
    exit: code => host.exit(code),
  }
  startFrontend(start, { report: host.report, onCommand: host.onCommand, loadFunctions, group })
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
