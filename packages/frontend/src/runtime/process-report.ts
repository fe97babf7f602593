// How a process sends its reports to its relay.
import type { FrontendReport, MemberReport } from '@sallyport/protocol/internal/contract'
import { FRAME_KIND, type Link, SNAPSHOT_PART_BYTES } from '@sallyport/protocol/internal/wire'

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

export function sendMemberReport(control: Link, report: MemberReport): void {
  if (report.type !== 'message') return send(control, report)
  send(control, { type: 'message', message: sendSnapshot(control, report.message as FrontendReport) })
}
