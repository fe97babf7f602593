// A script of a process that has many, as its relay sees it.
import { PassThrough } from 'node:stream'
import { getMemberStreams, type MemberCommand, serializeValue } from '@sallyport/protocol/internal/contract'
import { StreamLink, StreamMultiplexer } from '@sallyport/protocol/internal/link'
import { FRAME_KIND, getText } from '@sallyport/protocol/internal/wire'
import { expect, test } from 'vitest'
import { openScript } from './script-group.js'

test('a script answers whether it runs, and ends at once when it is terminated', async () => {
  const [down, up] = [new PassThrough(), new PassThrough()]
  const process: StreamMultiplexer = new StreamMultiplexer(down, up, {
    opened: id => openScript(process, id),
    closed() {},
  })
  const relay = new StreamMultiplexer(up, down, { closed() {} })
  const control = new StreamLink(relay.open(getMemberStreams(1).control))
  const reports: unknown[] = []
  control.receive({ frame: ({ body }) => void reports.push(JSON.parse(getText(body))), closed() {} })
  const send = (command: MemberCommand): void => control.send({ kind: FRAME_KIND.json, body: JSON.stringify(command) })
  control.send({ kind: FRAME_KIND.bytes, body: serializeValue({ label: 'it', codec: 'json' }) })
  send({ type: 'message', message: { type: 'ask' } })
  await expect.poll(() => reports).toContainEqual({ type: 'message', message: { type: 'answer', queued: 0 } })
  send({ type: 'terminate' })
  await expect.poll(() => reports.slice(-2)).toEqual([{ type: 'terminating' }, { type: 'exited', code: 1 }])
})
