// Several scripts in one thread or process (`sandbox: 'quickjs'`): each has a client, output and errors of its own. In a process, each
// has two streams of the process's pipe: one for its host, and one for its frames.
import { nextTick } from 'node:process'
import type { Duplex } from 'node:stream'
import {
  beat,
  deserializeValue,
  type FrontendCommand,
  type FrontendReport,
  type FrontendWorkerData,
  getScriptStreams,
  Member,
  type MemberCommand,
  type MemberConnection,
  type MemberReport,
} from '@sallyport/protocol/internal/contract'
import { type LinkEndpoint, StreamLink, StreamMultiplexer } from '@sallyport/protocol/internal/link'
import { FRAME_KIND, getText, type Link, SNAPSHOT_PART_BYTES } from '@sallyport/protocol/internal/wire'
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
    isTerminated: byForce => host.isTerminated(byForce),
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

/** @param pipe - leads to the relay, which starts the scripts */
export function serveScripts(pipe: Duplex): void {
  let last = 0
  const streams = new StreamMultiplexer(pipe, {
    opened(id) {
      const script = Math.floor(id / 2)
      // The relay might not know yet that a script has ended.
      if (script <= last || id !== getScriptStreams(script).control) return
      last = script
      startScript(streams, script)
    },
    // The relay has exited, and with it the other pipe, which ends the process.
    closed() {},
  })
}

function startScript(streams: StreamMultiplexer, script: number): void {
  const ids = getScriptStreams(script)
  const control = new StreamLink(streams.open(ids.control))
  // Its first frame can arrive before the command is read.
  const frames = streams.open(ids.link)
  let isLinked = false
  const open = (): StreamLink => {
    isLinked = true
    return new StreamLink(frames)
  }
  const member = new Member(report => {
    sendMemberReport(control, report)
    if (report.type !== 'exited') return
    control.close()
    if (!isLinked) frames.destroy()
  })
  control.receive({
    frame({ kind, body }) {
      if (kind === FRAME_KIND.json)
        return member.handle(JSON.parse(getText(body)) as Exclude<MemberCommand, { type: 'start' }>)
      member.start((host, data: Uint8Array) => {
        joinGroup(host, deserializeValue(data) as FrontendWorkerData, open)
      }, body as Uint8Array)
    },
    closed: () => member.handle({ type: 'terminate' }),
  })
}

const send = (control: Link, report: object): void =>
  control.send({ kind: FRAME_KIND.json, body: JSON.stringify(report) })

/** Sends the bytes of a snapshot in parts. Returns the rest of the report, which follows as JSON. */
function sendSnapshot(control: Link, report: FrontendReport): object {
  if (report.type !== 'suspended') return report
  const { snapshot, ...rest } = report
  for (let at = 0; at < snapshot.length; at += SNAPSHOT_PART_BYTES)
    control.send({ kind: FRAME_KIND.bytes, body: snapshot.slice(at, at + SNAPSHOT_PART_BYTES) })
  return rest
}

export const sendReport = (control: Link, report: FrontendReport): void => send(control, sendSnapshot(control, report))

function sendMemberReport(control: Link, report: MemberReport): void {
  if (report.type !== 'message') return send(control, report)
  send(control, { type: 'message', message: sendSnapshot(control, report.message as FrontendReport) })
}
