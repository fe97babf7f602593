// Starts scripts as members of one thread or process (`sandbox: 'quickjs'`): each has a client, output and errors of its own. In a process, each
// has two streams of the process: one for its host, and one for its frames.
import { nextTick } from 'node:process'
import {
  beat,
  deserializeValue,
  type FrontendCommand,
  type FrontendReport,
  type FrontendWorkerData,
  getMemberStreams,
  Member,
  type MemberConnection,
  type MemberReport,
} from '@sallyport/protocol/internal/contract'
import { type LinkEndpoint, StreamLink, type StreamMultiplexer } from '@sallyport/protocol/internal/link'
import { FRAME_KIND, getText, type Link, SNAPSHOT_PART_BYTES } from '@sallyport/protocol/internal/wire'
import { type GroupMember, type HostCommand, startFrontend } from './start-frontend.js'

/** The script whose code ran last in this tick: each runs to its end before the next one begins. */
let current: MemberConnection | undefined

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

/** The host blames this script if the thread does not respond now. */
function enter(member: MemberConnection): void {
  if (current === member) return
  // A tick that a promise adds with `nextTick` runs once all promises have settled, including those that others create.
  if (!current) queueMicrotask(() => nextTick(leave))
  current?.setBusy(false)
  member.setBusy(true)
  current = member
}

function leave(): void {
  current!.setBusy(false)
  current = undefined
}

let last = 0

/** The relay has opened a stream: that of a script, or one of a script that has ended, as it might not know yet. */
export function openScript(streams: StreamMultiplexer, id: number): void {
  const script = Math.floor(id / 2)
  if (script <= last || id !== getMemberStreams(script).control) return
  last = script
  startScript(streams, script)
}

function startScript(streams: StreamMultiplexer, script: number): void {
  const ids = getMemberStreams(script)
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
      if (kind === FRAME_KIND.json) return member.handle(JSON.parse(getText(body)))
      member.start((host, data: Uint8Array) => {
        joinGroup(host, deserializeValue(data) as FrontendWorkerData, open)
      }, body as Uint8Array)
    },
    closed: () => member.handle({ type: 'terminate' }),
  })
}

export function sendMemberReport(control: Link, report: MemberReport): void {
  const send = (fields: object): void => control.send({ kind: FRAME_KIND.json, body: JSON.stringify(fields) })
  const { type, message } = report as { type: string; message?: FrontendReport }
  if (type !== 'message' || message?.type !== 'suspended') return send(report)
  // The bytes of a snapshot in parts. The rest of the report follows.
  const { snapshot, ...rest } = message
  for (let at = 0; at < snapshot.length; at += SNAPSHOT_PART_BYTES)
    control.send({ kind: FRAME_KIND.bytes, body: snapshot.slice(at, at + SNAPSHOT_PART_BYTES) })
  send({ type, message: rest })
}
