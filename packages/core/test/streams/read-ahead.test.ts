// How much of a stream core produces before its reader has read it: bounded by bytes too, whatever the values are.
import { expect, test } from 'vitest'
import { type Channel, type Client, defineCore } from '../../src/index.js'
import { isolation, start } from '../support/start.js'
import { choose, rows } from '../../../../scripts/testing.js'

const MEBIBYTE = 2 ** 20
const values = {
  bytes: () => new Uint8Array(MEBIBYTE),
  member: () => ({ data: new Uint8Array(MEBIBYTE) }),
  text: () => 'x'.repeat(MEBIBYTE),
}

let produced = 0
const core = defineCore({
  commands: {
    plain: () => null,
    async *chunks({ kind, count }: { kind: keyof typeof values; count: number }) {
      for (produced = 0; produced < count; produced++) yield values[kind]()
    },
    async send({ kind, count, channel }: { kind: keyof typeof values; count: number; channel: Channel }) {
      for (produced = 0; produced < count; produced++) await channel.send(values[kind]())
      channel.end()
    },
  },
})
const allowed = { identifier: 'all', windows: ['*'], permissions: ['allow-chunks', 'allow-send', 'allow-plain'] }
const patterns = [
  ['brownfield', {}],
  ['isolation', isolation('judge', {}, allowed)],
] as const

/** Lets core produce all that it can: what it sends, and what it is told of what was read, are before and behind these calls. */
async function settle(client: Client): Promise<void> {
  for (let last = -1; last !== produced;) {
    last = produced
    for (let n = 0; n < 10; n++) await client.invoke('plain')
  }
}

test.each(choose(patterns))(
  'a stream of 1 MiB values is 4 MiB ahead of a reader that pauses: %s',
  async (_name, app) => {
    const client = await (await start({ core, ...app })).connect('tests')
    await rows(Object.keys(values))(async kind => {
      let read = 0
      for await (const _value of client.stream('chunks', { kind, count: 20 })) {
        if (read++ % 8 === 0) {
          await settle(client)
          // The value in the loop, those in flight, and the one that waits.
          expect(produced - read).toBeLessThanOrEqual(5)
        }
      }
      expect(read).toBe(20)
    })
  },
)

test('the bound holds for channels', async () => {
  const bus = await start({ core })
  const client = await bus.connect('tests')
  const channel = new client.Channel()
  const sent = client.invoke('send', { kind: 'bytes', count: 300, channel })
  await expect.poll(() => produced).toBe(4)
  await settle(client)
  expect(produced).toBe(4)
  let read = 0
  for await (const _value of channel) read++
  expect(read).toBe(300)
  await sent
})

test('an upload reads each chunk when core requests it, and reports progress', async () => {
  const written: number[] = []
  const definition = defineCore({
    commands: {
      async *upload(_args: object, { app, label, signal }) {
        for (;;) {
          const { chunk } = await app.call<{ chunk: Uint8Array | null }>(label, 'next_chunk', {}, { signal })
          if (chunk === null) return
          written.push(chunk.length)
          yield { written: written.length }
        }
      },
    },
  })
  const client = await (await start({ core: definition })).connect('tests')
  let made = 0
  client.expose({
    next_chunk() {
      expect(written).toHaveLength(made)
      return { chunk: made < 10 ? new Uint8Array(++made) : null }
    },
  })
  const progress: unknown[] = []
  for await (const each of client.stream('upload', {})) progress.push(each)
  expect(progress).toEqual(Array.from({ length: 10 }, (_, i) => ({ written: i + 1 })))
  expect(written).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
})
