// Streams: a handler's async iterable as the caller's async iterable, no faster than it is read, and ended by the caller's loop. Each behaviour is tested
// once, on the longest way: through a gate, over rings. What differs between ways is in calls/ways.test.ts, and the matrix takes all.
import { CHANNEL_MESSAGE_COST, CHANNEL_READ_AHEAD } from '@sallyport/protocol/internal/wire'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Bus, CallOptions, Client } from '../../src/index.js'
import { fixture, routesTo } from '../support/start.js'

const { commands } = (await import('../fixtures/streams/streams.mjs' as string)) as { commands: string[] }
const routes = routesTo(fixture('streams/streams.mjs'), commands)
const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i)

/** Returns how a promise settles, which can be before anybody waits for it. */
const getReason = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'settled',
    ({ reason }: { reason: string }) => reason,
  )

async function collect(values: AsyncIterable<unknown>): Promise<unknown[]> {
  const got: unknown[] = []
  for await (const value of values) got.push(value)
  return got
}

describe.each(routes)('%s', (_name, connect) => {
  let bus: Bus
  let client: Client
  beforeAll(async () => void ({ bus, client } = await connect('shared')))
  beforeEach(() => client.invoke('forget'))
  afterAll(() => bus.close({ timeout: 0 }))

  /** Resolves once core has seen these events, in this order and no others. */
  const seen = (...events: unknown[]): Promise<unknown> => client.invoke('until', { events })

  test('a stream yields every value in order, and ends, whatever is iterable', async () => {
    const streams: Record<string, [command: string, args: object, values: unknown[]]> = {
      'a generator': ['up_to', { to: 1000 }, upTo(1000)],
      'a generator without values': ['up_to', { to: 0 }, []],
      'a promise of a generator': ['later', { to: 3 }, upTo(3)],
      'a stream of the web': ['readable', {}, ['a', 'b', 'c']],
      'a stream of Node': ['readable_of_node', {}, ['a', 'b', 'c']],
      'values that look like others': ['odd', {}, [null, undefined, { end: true }, 'text']],
      'names of headers': ['echo_headers', {}, [expect.arrayContaining(['mine'])]],
    }
    for (const [what, [command, args, values]] of Object.entries(streams))
      expect(await collect(client.stream(command, args, { headers: { mine: 'x' } })), what).toStrictEqual(values)
  })

  test('an error comes after the values before it', async () => {
    const got: unknown[] = []
    const reading = async (): Promise<void> => {
      for await (const value of client.stream('up_to', { to: 300, fail: 'in the middle' })) got.push(value)
    }
    await expect(reading()).rejects.toMatchObject({ reason: 'CommandFailed', message: 'in the middle' })
    expect(got).toEqual(upTo(300))
  })

  test('a stream that cannot begin rejects with the reason', async () => {
    const errors = {
      refuses: { message: 'not today' },
      no_iterator: { message: 'no iterator' },
      nothing: { reason: 'MethodNotFound' },
      plain: {
        reason: 'InvalidRequest',
        message: 'command "plain" returned one value instead of a stream. Call it with invoke',
      },
    }
    for (const [name, error] of Object.entries(errors))
      await expect(collect(client.stream(name)), name).rejects.toMatchObject(error)
  })

  test('invoke of a stream is refused, and the stream is cancelled', async () => {
    const message = expect.stringContaining('Call the command with stream') as string
    await expect(client.invoke('readable_open')).rejects.toMatchObject({ reason: 'InternalError', message })
    await seen('cancelled')
  })

  test('the generator is ahead of its reader by the read-ahead, and by no more', async () => {
    const ahead = CHANNEL_READ_AHEAD / CHANNEL_MESSAGE_COST
    const values = client.stream('up_to', { to: 3 * ahead })
    await values.next()
    await client.invoke('until', { count: ahead / 2 })
    // Without a limit it would end while core answers these calls. A slow machine can hide that, which channel-credit.test.ts cannot.
    for (let n = 0; n < 50; n++) await client.invoke('seen')
    expect((await client.invoke<unknown[]>('seen')).length).toBeLessThan(ahead + 10)
    await values.return()
    await client.invoke('until', { last: 'finally' })
  })

  test('the generator ends when the reader stops at once, or in the middle', async () => {
    for (const after of [1, 400]) {
      await client.invoke('forget')
      let got = 0
      for await (const _value of client.stream('up_to', { to: 100_000 })) if (++got === after) break
      await client.invoke('until', { last: 'finally' })
    }
  })

  test('a stream makes its call when it is first read, and can be read only once', async () => {
    await client.stream('up_to', { to: 2 }).return()
    client.stream('up_to', { to: 2 })
    expect(await client.invoke('seen')).toEqual([])
    const once = client.stream('up_to', { to: 2 })
    expect([await collect(once), await collect(once)]).toEqual([[0, 1], []])
  })

  test('a stream that never yields ends by `return`, by its signal, and by its timeout', async () => {
    const never = (options?: CallOptions) => client.stream('never_yields', {}, options)
    const values = never()
    const waiting = values.next()
    await seen('began')
    await values.return()
    expect(await waiting).toEqual({ done: true, value: undefined })
    await seen('began', 'Cancelled')

    const abort = new AbortController()
    const aborted = getReason(collect(never({ signal: abort.signal })))
    await seen('began', 'Cancelled', 'began')
    abort.abort()
    expect(await aborted).toBe('Cancelled')
    await seen('began', 'Cancelled', 'began', 'Cancelled')

    await client.invoke('forget')
    // If the machine is slow, the deadline is over before the handler begins, and core never sees the call.
    expect(await getReason(collect(never({ timeout: 1 })))).toBe('Timeout')
    expect([[], ['began', 'Cancelled']]).toContainEqual(await client.invoke('seen'))
  })

  test('what the handler iterates is told that the reader has left', async () => {
    const ends: Record<string, string> = {
      readable_silent: 'destroyed',
      return_throws: 'return',
      return_never_ends: 'return',
    }
    for (const [name, event] of Object.entries(ends)) {
      await client.invoke('forget')
      for await (const _value of client.stream(name)) break
      await seen(event)
    }
    await client.invoke('forget')
    const open = client.stream('readable_open')
    void open.next()
    await client.invoke('plain')
    await open.return()
    await seen('plain', 'cancelled')
  })

  test('a value that cannot be serialized ends the stream with an error, even if `return` never resolves', async () => {
    const message = expect.stringContaining('cannot be serialized') as string
    const reading = collect(client.stream('return_never_ends', { bad: true }))
    await expect(reading).rejects.toMatchObject({ reason: 'InvalidParams', message })
    await seen('return')
  })

  test('bytes are copied, or transferred if they are marked', async () => {
    const sizes = [0, 10, 100_000]
    const copied = (await collect(client.stream('chunks', { sizes }))) as { bytes: Uint8Array }[]
    expect(copied.map(({ bytes }) => [bytes.byteLength, bytes.at(-1)])).toEqual(
      sizes.map(n => [n, n ? n % 251 : undefined]),
    )
    const moved = (await collect(client.stream('chunks', { sizes, away: true }))) as Uint8Array[]
    expect(moved.map(bytes => bytes.byteLength)).toEqual(sizes)
    expect(await client.invoke('seen')).toEqual([...sizes, 0, 0, 0])
  })

  test('a stream can have channels among its arguments', async () => {
    const channel = new client.Channel<string>()
    const [values, messages] = await Promise.all([
      collect(client.stream('with_channel', { channel, n: 300 })),
      collect(channel),
    ])
    expect(values).toEqual(upTo(300).map(i => `s${i}`))
    expect(messages).toEqual(upTo(300).map(i => `c${i}`))
  })

  test('a stream ends when its frontend disconnects, or the bus closes', async () => {
    const endless = { to: 1e6, wait: 1 }
    const { bus: own, client: staying } = await connect()
    const leaver = await own.connect('leaver')
    const left = getReason(collect(leaver.stream('up_to', endless)))
    await staying.invoke('until', { count: 3 })
    await leaver.close()
    expect(await left).toBe('Disconnected')
    await staying.invoke('until', { last: 'finally' })
    const last = getReason(collect(staying.stream('up_to', endless)))
    await own.close({ timeout: 0 })
    expect(await last).toBe('Disconnected')
  })
})
