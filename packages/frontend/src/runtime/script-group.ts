// Several scripts in one thread (`sandbox: { kind: 'ses', group }`): each has a client, output and errors of its own.
import { AsyncLocalStorage } from 'node:async_hooks'
import {
  beat,
  type FrontendCommand,
  type FrontendWorkerData,
  type Link,
  openLink,
  setThrowLater,
  type TenantConnection,
} from '@sallyport/protocol/internal'
import { type GroupMember, type HostConnection, startFrontend } from './start-frontend.js'
import { TenantOutput } from './tenant-output.js'

interface Member {
  /** Takes an error that the script did not catch. Absent until the script runs. */
  onUncaught?: (thrown: unknown) => void
}

const members = new Set<Member>()
/** The script whose code runs, or whose promise or timer continues. */
const current = new AsyncLocalStorage<Member>()
let isFirst = true

/** Starts a script in this thread. */
export function joinGroup(
  host: TenantConnection,
  { heartbeat, ...start }: FrontendWorkerData,
  loadFunctions: HostConnection['loadFunctions'],
): void {
  if (isFirst) catchErrors()
  isFirst = false
  const member: Member = {}
  members.add(member)
  const { stop: stopHeartbeat } = beat(heartbeat)
  const output = new TenantOutput(host)
  const inContext = <T>(run: () => T): T => current.run(member, run)

  function leave(code: number): void {
    members.delete(member)
    stopHeartbeat()
    host.exit(code)
  }

  const group: GroupMember = {
    onUncaught: handle => void (member.onUncaught = handle),
    print: (stream, text) => output.print(stream, text),
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
