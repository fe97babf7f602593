// A script of a process that has many, as its relay sees it.
import { Duplex, PassThrough } from 'node:stream'
import { getScriptStreams, serializeValue } from '@sallyport/protocol/internal/contract'
import { StreamLink, StreamMultiplexer } from '@sallyport/protocol/internal/link'
import { FRAME_KIND, getText } from '@sallyport/protocol/internal/wire'
import { expect, test } from 'vitest'
import { serveScripts } from './script-process.js'

test('a script answers whether it runs', async () => {
  const [down, up] = [new PassThrough(), new PassThrough()]
  serveScripts(Duplex.from({ readable: down, writable: up }), async () => ({}) as never)
  const relay = new StreamMultiplexer(Duplex.from({ readable: up, writable: down }), { closed() {} })
  const control = new StreamLink(relay.open(getScriptStreams(1).control))
  const reports: unknown[] = []
  control.receive({ frame: ({ body }) => void reports.push(JSON.parse(getText(body))), closed() {} })
  control.send({ kind: FRAME_KIND.bytes, body: serializeValue({ label: 'it', codec: 'json' }) })
  control.send({ kind: FRAME_KIND.json, body: JSON.stringify({ type: 'ask' }) })
  await expect.poll(() => reports).toContainEqual({ type: 'answer' })
})
