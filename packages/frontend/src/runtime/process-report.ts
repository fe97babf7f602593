// How a process sends its reports to its relay.
import type { FrontendReport, Pong } from '@sallyport/protocol/internal/contract'
import { FRAME_KIND, type Link, SNAPSHOT_PART_BYTES } from '@sallyport/protocol/internal/wire'

/** Sends a report as JSON, after the bytes of a snapshot in parts. */
export function sendReport(control: Link, message: FrontendReport | Pong): void {
  if (message.type !== 'suspended') return control.send({ kind: FRAME_KIND.json, body: JSON.stringify(message) })
  const { snapshot, ...rest } = message
  for (let at = 0; at < snapshot.length; at += SNAPSHOT_PART_BYTES)
    control.send({ kind: FRAME_KIND.bytes, body: snapshot.slice(at, at + SNAPSHOT_PART_BYTES) })
  control.send({ kind: FRAME_KIND.json, body: JSON.stringify(rest) })
}
