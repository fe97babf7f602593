// Streams: a handler's async iterable as the caller's async iterable, no faster than it is read, and ended by the caller's loop.
import { CHANNEL_MESSAGE_COST, CHANNEL_READ_AHEAD } from '@sallyport/protocol/internal/wire'
import { describe, expect, test } from 'vitest'
import { fixture, routesTo } from '../support/start.js'

const { commands } = (await import('../fixtures/streams/streams.mjs' as string)) as { commands: string[] }
const routes = routesTo(fixture('streams/streams.mjs'), commands)
const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i)

async function collect(values: AsyncIterable<unknown>): Promise<unknown[]> {
  const got: unknown[] = []
  for await (const value of values) got.push(value)
  return got
}

/** Joins the shared bus, whose core forgets what it has seen. */
async function connectAfresh(connect: (typeof routes)[number][1]): ReturnType<typeof connect> {
  const connected = await connect('shared')
  await connected.client.invoke('forget')
  return connected
}

describe.each(routes)('a stream: %s', (_name, connect) => {
  test('yields every value in order, and ends', async () => {
    const { client } = await connect('shared')
    expect(await collect(client.stream('up_to', { to: 1000 }))).toEqual(upTo(1000))
    expect(await collect(client.stream('later', { to: 3 }))).toEqual(upTo(3))
    expect(await collect(client.stream('readable'))).toEqual(['a', 'b', 'c'])
    expect(await collect(client.stream('readable_of_node'))).toEqual(['a', 'b', 'c'])
    expect(await collect(client.stream('odd'))).toStrictEqual([null, undefined, { end: true }, 'text'])
    expect(await collect(client.stream('up_to', { to: 0 }))).toEqual([])
  })

  test('throws an error after the values before it', async () => {
    const { client } = await connect('shared')
    const got: unknown[] = []
    const reading = async (): Promise<void> => {
      for await (const value of client.stream('up_to', { to: 300, fail: 'in the middle' })) got.push(value)
    }
    await expect(reading()).rejects.toMatchObject({ reason: 'CommandFailed', message: 'in the middle' })
    expect(got).toEqual(upTo(300))
    await expect(collect(client.stream('refuses'))).rejects.toMatchObject({ message: 'not today' })
    await expect(collect(client.stream('no_iterator'))).rejects.toMatchObject({ message: 'no iterator' })
    await expect(collect(client.stream('nothing'))).rejects.toMatchObject({ reason: 'MethodNotFound' })
  })

  test('waits for the reader', async () => {
    const { client } = await connectAfresh(connect)
    const values = client.stream('up_to', { to: 100_000 })
    await values.next()
    await expect.poll(async () => (await client.invoke<unknown[]>('seen')).length).toBeGreaterThan(4000)
    const { length } = await client.invoke<unknown[]>('seen')
    expect(length).toBeLessThan(CHANNEL_READ_AHEAD / CHANNEL_MESSAGE_COST + 10)
    await values.return()
    await expect.poll(async () => (await client.invoke<unknown[]>('seen')).at(-1)).toBe('finally')
  })

  test.each([
    ['at once', 1],
    ['in the middle', 400],
  ])('ends the generator when the reader stops %s', async (_when, after) => {
    const { client } = await connect('shared')
    let got = 0
    for await (const _value of client.stream('up_to', { to: 100_000 })) if (++got === after) break
    await expect.poll(async () => (await client.invoke<unknown[]>('seen')).at(-1)).toBe('finally')
    expect(await client.invoke('plain')).toBe(1)
  })

  test('makes its call when it is first read, and can be read only once', async () => {
    const { client } = await connectAfresh(connect)
    const values = client.stream('up_to', { to: 2 })
    await values.return()
    client.stream('up_to', { to: 2 })
    expect(await client.invoke('seen')).toEqual([])
    const once = client.stream('up_to', { to: 2 })
    expect([await collect(once), await collect(once)]).toEqual([[0, 1], []])
  })

  test.each(['signal', 'timeout'])('ends with its %s when the handler never yields', async what => {
    const { client } = await connectAfresh(connect)
    const controller = new AbortController()
    const options = what === 'signal' ? { signal: controller.signal } : { timeout: 600 }
    const reading = collect(client.stream('never_yields', {}, options))
    reading.catch(() => {})
    await expect.poll(() => client.invoke('seen')).toContain('began')
    controller.abort()
    await expect(reading).rejects.toMatchObject({ reason: what === 'signal' ? 'Cancelled' : 'Timeout' })
    await expect.poll(() => client.invoke('seen')).toEqual(['began', 'Cancelled'])
  })

  test('can be ended while it waits for a value', async () => {
    const { client } = await connectAfresh(connect)
    const values = client.stream('never_yields')
    const waiting = values.next()
    await expect.poll(() => client.invoke('seen')).toEqual(['began'])
    await values.return()
    expect(await waiting).toEqual({ done: true, value: undefined })
    await expect.poll(() => client.invoke('seen')).toEqual(['began', 'Cancelled'])
  })

  test('cancels a ReadableStream or destroys a Readable that waits for data', async () => {
    const { client } = await connectAfresh(connect)
    for await (const value of client.stream('readable_silent')) {
      expect(value).toBe('first')
      break
    }
    await expect.poll(() => client.invoke('seen')).toEqual(['destroyed'])
    const open = client.stream('readable_open')
    void open.next()
    await client.invoke('plain')
    await open.return()
    await expect.poll(() => client.invoke('seen')).toEqual(['destroyed', 'plain', 'cancelled'])
  })

  test('ends even if `return` of the iterator throws or never resolves', async () => {
    const { client } = await connectAfresh(connect)
    for (const name of ['return_throws', 'return_never_ends']) {
      for await (const value of client.stream(name)) {
        expect(value).toBe(1)
        break
      }
    }
    await expect.poll(() => client.invoke('seen')).toEqual(['return', 'return'])
  })

  test('ends with an error at a value that cannot be serialized, even if `return` never resolves', async () => {
    const { client } = await connectAfresh(connect)
    await expect(collect(client.stream('return_never_ends', { bad: true }))).rejects.toMatchObject({
      reason: 'InvalidParams',
      message: expect.stringContaining('cannot be serialized') as string,
    })
    await expect.poll(() => client.invoke('seen')).toEqual(['return'])
  })

  test('yields bytes, and transfers marked ones', async () => {
    const { client } = await connectAfresh(connect)
    const sizes = [0, 10, 100_000]
    const got = (await collect(client.stream('chunks', { sizes }))) as { bytes: Uint8Array }[]
    expect(got.map(({ bytes }) => [bytes.byteLength, bytes.at(-1)])).toEqual(
      sizes.map(n => [n, n ? n % 251 : undefined]),
    )
    const moved = (await collect(client.stream('chunks', { sizes, away: true }))) as Uint8Array[]
    expect(moved.map(bytes => bytes.byteLength)).toEqual(sizes)
    expect(await client.invoke('seen')).toEqual([...sizes, 0, 0, 0])
  })

  test('rejects invoke of a stream, and stream of a single value', async () => {
    const { client } = await connectAfresh(connect)
    await expect(collect(client.stream('plain'))).rejects.toMatchObject({
      reason: 'InvalidRequest',
      message: 'command "plain" returned one value instead of a stream. Call it with invoke',
    })
    await expect(client.invoke('readable_open')).rejects.toMatchObject({
      reason: 'InternalError',
      message: expect.stringContaining('Call the command with stream') as string,
    })
    await expect.poll(() => client.invoke('seen')).toEqual(['plain', 'cancelled'])
  })

  test('can have channels among its arguments, and headers', async () => {
    const { client } = await connect('shared')
    const channel = new client.Channel<string>()
    const both = Promise.all([collect(client.stream('with_channel', { channel, n: 300 })), collect(channel)])
    const [values, messages] = await both
    expect(values).toEqual(upTo(300).map(i => `s${i}`))
    expect(messages).toEqual(upTo(300).map(i => `c${i}`))
    const [names] = await collect(client.stream('echo_headers', {}, { headers: { mine: 'x' } }))
    expect(names).toEqual(expect.arrayContaining(['mine']))
  })

  test('ends when its frontend disconnects, or the bus closes', async () => {
    const { bus, client } = await connect('shared')
    const other = await bus.connect('other')
    const reading = collect(client.stream('up_to', { to: 1e6, wait: 1 }))
    reading.catch(() => {})
    await expect.poll(async () => (await other.invoke<unknown[]>('seen')).length).toBeGreaterThan(3)
    await client.close()
    await expect(reading).rejects.toMatchObject({ reason: 'Disconnected' })
    await expect.poll(async () => (await other.invoke<unknown[]>('seen')).at(-1)).toBe('finally')
    const last = collect(other.stream('up_to', { to: 1e6, wait: 1 }))
    last.catch(() => {})
    await bus.close({ timeout: 10 })
    await expect(last).rejects.toMatchObject({ reason: 'Disconnected' })
  })
})
