// A script of a process that has many, as its relay sees it.
import { PassThrough } from 'node:stream'
import {
  createHeartbeat,
  type FrontendWorkerData,
  getMemberStreams,
  type MemberCommand,
  type MemberConnection,
  type MemberReport,
  serializeValue,
} from '@sallyport/protocol/internal/contract'
import { StreamLink, StreamMultiplexer } from '@sallyport/protocol/internal/link'
import { FRAME_KIND, getText, type Link, SNAPSHOT_PART_BYTES } from '@sallyport/protocol/internal/wire'
import { expect, onTestFinished, test, vi } from 'vitest'
import { joinGroup, openScript, sendMemberReport } from './script-group.js'

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

test('the heart of a script beats until it is ended, and no longer', () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
  let terminate!: () => void
  const exit = vi.fn<(code: number) => void>()
  const host = { postMessage() {}, onMessage() {}, onTerminate: (handle: () => void) => (terminate = handle), exit }
  const start = { label: 'it', codec: 'json', heartbeat: createHeartbeat(800) }
  joinGroup(host as unknown as MemberConnection, start as FrontendWorkerData, () => expect.fail())
  expect(vi.getTimerCount()).toBe(1)
  terminate()
  expect([vi.getTimerCount(), exit.mock.calls]).toEqual([0, [[1]]])
})

test('the bytes of a snapshot are sent in parts, whole and in order, before what is said of it', () => {
  const frames: { body: unknown }[] = []
  const control = { send: (frame: { body: unknown }) => frames.push(frame) } as unknown as Link
  const snapshot = Uint8Array.from({ length: SNAPSHOT_PART_BYTES + 2 }, (_, index) => index)
  const suspended = { type: 'suspended', tokens: ['a'] }
  sendMemberReport(control, { type: 'message', message: { ...suspended, snapshot } } as unknown as MemberReport)
  const parts = [snapshot.slice(0, SNAPSHOT_PART_BYTES), snapshot.slice(SNAPSHOT_PART_BYTES)]
  expect(frames.map(({ body }) => body)).toEqual([...parts, JSON.stringify({ type: 'message', message: suspended })])
})
