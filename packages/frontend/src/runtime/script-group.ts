// Several scripts in one thread (`sandbox: 'quickjs'`, or `{ kind: 'ses', group }`): each has a client, output and errors of its own.
import { AsyncLocalStorage } from 'node:async_hooks'
import { nextTick } from 'node:process'
import {
  beat,
  type FrontendCommand,
  type FrontendWorkerData,
  type MemberConnection,
} from '@sallyport/protocol/internal/contract'
import { openLink } from '@sallyport/protocol/internal/link'
import { setThrowLater } from '@sallyport/protocol/internal/util'
import type { Link } from '@sallyport/protocol/internal/wire'
import { type GroupMember, type HostConnection, startFrontend } from './start-frontend.js'
import { MemberOutput } from './member-output.js'

interface Member extends Pick<MemberConnection, 'setBusy'> {
  /** Takes an error that the script did not catch. Absent until the script runs. */
  onUncaught?: (thrown: unknown) => void
}

const members = new Set<Member>()
/** The script whose code runs, or whose promise or timer continues. */
const current = new AsyncLocalStorage<Member>()
/** The scripts whose code runs in this tick. Usually it is one. */
const busy = new Set<Member>()
let isFirst = true

/** Starts a script in this thread. */
export function joinGroup(
  host: MemberConnection,
  { heartbeat, ...start }: FrontendWorkerData,
  loadFunctions: HostConnection['loadFunctions'],
): void {
  if (isFirst) catchErrors()
  isFirst = false
  const member: Member = { setBusy: host.setBusy }
  members.add(member)
  const { stop: stopHeartbeat } = beat(heartbeat)
  const output = new MemberOutput(host)
  const inContext = <T>(run: () => T): T => {
    enter(member)
    return current.run(member, run)
  }

  function leave(code: number): void {
    members.delete(member)
    stopHeartbeat()
    host.exit(code)
  }

  const group: GroupMember = {
    onUncaught: handle => void (member.onUncaught = handle),
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
  inContext(() =>
    startFrontend(start, {
      report: report => host.postMessage(report),
      onCommand: handle =>
        host.onMessage(message =>
          inContext(() => {
            const command = message as FrontendCommand
            if (command.type === 'stop') return handle(command)
            handle({ ...command, link: bindLink(openLink(command.link, true), inContext) })
          }),
        ),
      loadFunctions,
      group,
    }),
  )
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

/** Reports each error to the script that it is from. If that is unknown, it ends all scripts, as it would end a thread. */
function catchErrors(): void {
  const report = (thrown: unknown, member = current.getStore()): void => {
    const handlers = [...(member ? [member] : members)].flatMap(({ onUncaught }) => onUncaught ?? [])
    // An error of Sallyport itself ends the thread.
    if (handlers.length === 0) throw thrown
    for (const handle of handlers) handle(thrown)
  }
  process.on('uncaughtException', thrown => report(thrown))
  process.on('unhandledRejection', thrown => report(thrown))
  setThrowLater(thrown => {
    const member = current.getStore()
    queueMicrotask(() => report(thrown, member))
  })
}

/** Runs what a link delivers in the context of the link's script. */
function bindLink(link: Link, inContext: (run: () => void) => void): Link {
  const receive = link.receive.bind(link)
  link.receive = receiver =>
    receive({
      readsImmediately: receiver.readsImmediately === true,
      frame: frame => inContext(() => receiver.frame(frame)),
      closed: fault => inContext(() => receiver.closed(fault)),
    })
  return link
}
