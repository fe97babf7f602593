import { Writable } from 'node:stream'
import { expect, it } from 'vitest'
import { MAX_WAITING_OUTPUT } from '@sallyport/protocol/internal/wire'
import { sendAhead } from './send-ahead.js'

/** A stream of Node's threads: a text is written once the host has read it, which it does not. */
function createStream() {
  const sent: string[] = []
  const read: (() => void)[] = []
  const stream = new Writable({
    decodeStrings: false,
    writev(chunks, done) {
      sent.push(...chunks.map(({ chunk }) => chunk as string))
      read.push(done)
    },
  })
  sendAhead(stream)
  return { stream, sent, read }
}

it('sends all that is printed at once', () => {
  const { stream, sent } = createStream()
  const lines = Array.from({ length: 2000 }, (_, n) => `line ${n}\n`)
  for (const line of lines) stream.write(line)
  expect(sent).toEqual(lines)
})

it('lets a flood wait for the host', async () => {
  const { stream, sent, read } = createStream()
  const text = 'x'.repeat(MAX_WAITING_OUTPUT / 4)
  for (let n = 0; n < 10; n++) stream.write(text)
  expect(sent).toHaveLength(5)
  for (let n = 0; n < 5; n++) read[n]!()
  await new Promise(setImmediate)
  expect(sent).toHaveLength(10)
})
