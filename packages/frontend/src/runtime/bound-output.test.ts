import { MAX_WAITING_OUTPUT } from '@sallyport/protocol/internal/wire'
import { Writable } from 'node:stream'
import { expect, it } from 'vitest'
import { boundOutput } from './bound-output.js'

/** A stream whose reader takes nothing before `take`. */
function createStream() {
  const taken: number[] = []
  const waiting: (() => void)[] = []
  const stream = new Writable({
    decodeStrings: false,
    writev(chunks, done) {
      taken.push(...chunks.map(({ chunk }) => (chunk as string).length))
      waiting.push(done)
    },
  })
  const dropped: number[] = []
  boundOutput(stream, count => void dropped.push(count))
  const take = async (): Promise<void> => {
    while (waiting.length > 0) {
      waiting.shift()!()
      await new Promise(setImmediate)
    }
  }
  return { stream, taken, dropped, take }
}

it('drops what exceeds the limit, counts it, and goes on once the reader has taken the rest', async () => {
  const { stream, taken, dropped, take } = createStream()
  const text = 'x'.repeat(1000)
  let settled = 0
  for (let n = 0; n < 2000; n++) stream.write(text, () => void settled++)
  await take()
  expect(taken.length).toBeLessThan(MAX_WAITING_OUTPUT / 1000)
  expect(dropped).toEqual([2_000_000 - taken.length * 1000])
  expect(settled).toBe(2000)
  stream.write('later')
  await take()
  expect(taken.at(-1)).toBe(5)
  expect(dropped).toHaveLength(1)
})

it('bounds the number of writes too', async () => {
  const { stream, taken, take } = createStream()
  for (let n = 0; n < 100_000; n++) stream.write('\n')
  await take()
  expect(taken.length).toBeLessThan(MAX_WAITING_OUTPUT / 64)
})

it('passes a single larger write if nothing waits', async () => {
  const { stream, taken, dropped, take } = createStream()
  stream.write('x'.repeat(2 * MAX_WAITING_OUTPUT))
  await take()
  expect([taken, dropped]).toEqual([[2 * MAX_WAITING_OUTPUT], []])
})
