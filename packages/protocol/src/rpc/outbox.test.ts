// The outbox decides which messages share a frame. Each message is sent once, in order, and one that fails affects no other.
import fc from 'fast-check'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import type { Codec, EncodedMessage } from '../codec/codec.js'
import { BatchReader, codecs } from '../codec/codecs.js'
import { FRAME_KIND, type Message } from '../wire/messages.js'
import { MAX_FRAME_BYTES } from '../wire/limits.js'
import { encodeMessage, EventBatch, FULL_BATCH_BYTES, FULL_BATCH_VALUES, Outbox, ValueBatch } from './outbox.js'

const putMessage = (outbox: Outbox, codec: Codec, message: Message): void =>
  outbox.put(codec, encodeMessage(codec, message) as EncodedMessage)

interface Sent {
  kind: number
  ids: unknown[]
  count: number
  bytes: number
}

function setUp(): { outbox: Outbox; sent: Sent[]; put: (codec: Codec, id: number, text?: string) => void } {
  const sent: Sent[] = []
  const outbox = new Outbox(({ kind, body }, count) => {
    const bytes = Buffer.from(body)
    const decoded = (kind === FRAME_KIND.json ? json : msgpack).decode(bytes)
    const ids = (Array.isArray(decoded) ? decoded : [decoded]).map(({ id }: { id: unknown }) => id)
    sent.push({ kind, ids, count, bytes: bytes.length })
  })
  const put = (codec: Codec, id: number, text?: string): void =>
    putMessage(outbox, codec, { jsonrpc: '2.0', id, result: text })
  return { outbox, sent, put }
}

const { json, msgpack } = codecs
const nextTick = (): Promise<void> => new Promise(resolve => setImmediate(resolve))
const getIds = (sent: Sent[]): unknown[][] => sent.map(({ ids }) => ids)

/** Milliseconds. Time that goes back holds no silence. */
function mockTime(now: number): void {
  const time = vi.spyOn(performance, 'now').mockReturnValue(now)
  onTestFinished(() => time.mockRestore())
}

describe('the messages of one tick', () => {
  it('share a frame', async () => {
    const { sent, put } = setUp()
    for (let id = 0; id < 100; id++) put(json, id)
    expect(sent).toEqual([])
    await nextTick()
    expect(sent).toMatchObject([{ kind: 1, ids: Array.from({ length: 100 }, (_, id) => id), count: 100 }])
  })

  it('include those of promises that settle in it', async () => {
    mockTime(0)
    const { sent, put } = setUp()
    await Promise.all(
      [1, 2, 3].map(async id => {
        await Promise.resolve()
        put(json, id)
        await Promise.resolve()
        put(json, id + 10)
      }),
    )
    await nextTick()
    expect(getIds(sent)).toEqual([[1, 2, 3, 11, 12, 13]])
  })

  it('do not wait for promises that settle in it, the first time after 5 ms', async () => {
    const { sent, put } = setUp()
    const putThree = async (): Promise<void> => {
      put(json, 1)
      put(json, 2)
      await Promise.resolve()
      put(json, 3)
      await nextTick()
    }
    const start = 1e12
    mockTime(start)
    await putThree()
    expect(getIds(sent)).toEqual([[1, 2], [3]])
    mockTime(start + 5)
    await putThree()
    expect(getIds(sent).slice(2)).toEqual([[1, 2, 3]])
    mockTime(start + 11)
    await putThree()
    expect(getIds(sent).slice(3)).toEqual([[1, 2], [3]])
  })

  it('reject no promise after 5 ms: an error of sending is not caught', async () => {
    const error = new Error('send')
    const outbox = new Outbox(() => {
      throw error
    })
    const listeners = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    onTestFinished(() => listeners.forEach(listener => process.on('uncaughtException', listener)))
    const uncaught = new Promise(resolve => process.once('uncaughtException', resolve))
    mockTime(2e12)
    outbox.put(json, '{}')
    expect(await uncaught).toBe(error)
  })

  it('are separate from those of the next tick', async () => {
    const { sent, put } = setUp()
    put(json, 1)
    await nextTick()
    put(json, 2)
    await nextTick()
    await nextTick()
    expect(getIds(sent)).toEqual([[1], [2]])
  })

  it('are not a batch if there is only one', async () => {
    const bodies: unknown[] = []
    const outbox = new Outbox(({ body }) => bodies.push(body))
    putMessage(outbox, json, { jsonrpc: '2.0', method: 'm' })
    await nextTick()
    expect(bodies).toEqual(['{"jsonrpc":"2.0","method":"m"}'])
  })
})

describe('a change of codec', () => {
  it('begins a new frame and keeps the order', async () => {
    const { sent, put } = setUp()
    const sequence = [json, json, msgpack, json, msgpack, msgpack]
    sequence.forEach((codec, id) => put(codec, id))
    await nextTick()
    expect(sent.map(({ kind, ids }) => [kind, ...ids])).toEqual([
      [1, 0, 1],
      [2, 2],
      [1, 3],
      [2, 4, 5],
    ])
  })

  it('keeps the order of messages of any size', async () => {
    const message = fc.record({
      codec: fc.constantFrom(json, msgpack),
      size: fc.oneof(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 6_000, max: 24_000 })),
      flush: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(message, { maxLength: 25 }), async messages => {
        const { outbox, sent, put } = setUp()
        for (const [id, { codec, size, flush }] of messages.entries()) {
          put(codec, id, 'x'.repeat(size))
          if (flush) outbox.flush()
        }
        await nextTick()
        expect(getIds(sent).flat()).toEqual(messages.map((_, id) => id))
        for (const { ids, count } of sent) expect(count).toBe(ids.length)
      }),
      { numRuns: 60 },
    )
  })
})

describe('a frame', () => {
  it('is sent before the tick ends when it is full, well below the limits of a batch and of a scan', async () => {
    const { sent, put } = setUp()
    for (let id = 0; id < 10_000; id++) put(json, id)
    expect(sent.length).toBeGreaterThan(10)
    for (const { count } of sent) expect(count).toBeGreaterThan(100)
    for (const { count } of sent) expect(count).toBeLessThan(1000)
    await nextTick()
    expect(getIds(sent).flat()).toEqual(Array.from({ length: 10_000 }, (_, id) => id))
  })

  it('exceeds 16 KiB only if a single message does', () =>
    rows([json, msgpack])(async codec => {
      const { sent, put } = setUp()
      for (let id = 0; id < 10; id++) put(codec, id, 'x'.repeat(6_000))
      put(codec, 10, 'x'.repeat(20_000))
      put(codec, 11, 'x')
      await nextTick()
      expect(getIds(sent)).toEqual([[0, 1], [2, 3], [4, 5], [6, 7], [8, 9], [10], [11]])
    }))
})

describe('a message over 16 MiB', () => {
  const largest = (codec: Codec, character: string): string => {
    const empty = Buffer.from(codec.encode({ jsonrpc: '2.0', id: 2, result: '' }) as string).length
    const rest = MAX_FRAME_BYTES - empty - (codec === msgpack ? 4 : 0)
    return character.repeat(Math.floor(rest / Buffer.byteLength(character)))
  }

  it('is rejected by its size in bytes, without affecting others', () =>
    rows([
      [json, 'x'],
      [json, 'é'],
      [msgpack, 'x'],
    ])(async (codec, character) => {
      const { sent, put } = setUp()
      const fits = largest(codec, character)
      put(codec, 1)
      expect(() => put(codec, 2, fits + character)).toThrow(
        expect.objectContaining({
          reason: 'InvalidParams',
          message: expect.stringContaining('over the limit of 16777216'),
        }),
      )
      put(codec, 3)
      await nextTick()
      expect(getIds(sent)).toEqual([[1, 3]])
      put(codec, 2, fits)
      await nextTick()
      expect(sent.at(-1)!.ids).toEqual([2])
      expect(MAX_FRAME_BYTES - sent.at(-1)!.bytes).toBeLessThan(2)
    }))
})

describe('a message that cannot be encoded', () => {
  it('does not change the current batch', async () => {
    const { outbox, sent, put } = setUp()
    put(json, 1)
    const wrong: Message = { jsonrpc: '2.0', id: 2, result: 1n }
    expect(() => putMessage(outbox, json, wrong)).toThrow(TypeError)
    expect(() => putMessage(outbox, msgpack, { ...wrong, result: Symbol('x') })).toThrow('is a symbol')
    put(json, 3)
    await nextTick()
    expect(getIds(sent)).toEqual([[1, 3]])
  })
})

describe('maxMessages', () => {
  it('sends frames of that many messages', async () => {
    const { outbox, sent, put } = setUp()
    outbox.maxMessages = 2
    for (let id = 0; id < 5; id++) put(json, id)
    expect(getIds(sent)).toEqual([
      [0, 1],
      [2, 3],
    ])
    await nextTick()
    expect(getIds(sent)).toEqual([[0, 1], [2, 3], [4]])
  })
})

describe('put and flush', () => {
  it('send encoded messages in order', async () => {
    const { outbox, sent, put } = setUp()
    put(json, 1)
    outbox.put(json, '{"id":2}')
    outbox.put(msgpack, msgpack.encode({ jsonrpc: '2.0', id: 3, result: 0 }) as Uint8Array)
    await nextTick()
    expect(getIds(sent)).toEqual([[1, 2], [3]])
  })

  it('flush sends immediately, and an empty outbox sends nothing', async () => {
    const { outbox, sent, put } = setUp()
    outbox.flush()
    put(json, 1)
    outbox.flush()
    outbox.flush()
    expect(getIds(sent)).toEqual([[1]])
    await nextTick()
    expect(getIds(sent)).toEqual([[1]])
  })

  it('can be called while a frame is sent', async () => {
    const sent: unknown[] = []
    const outbox = new Outbox(({ body }) => {
      sent.push(body)
      if (sent.length === 1) outbox.put(json, '2')
      outbox.flush()
    })
    outbox.put(json, '1')
    await nextTick()
    expect(sent).toEqual(['1', '2'])
  })
})

describe('values of one source', () => {
  const source = {
    createMessage: (value: unknown, index: number, isBatch?: boolean) =>
      ({ jsonrpc: '2.0', method: 'c', params: isBatch ? { index, values: value } : { index, value } }) as const,
  }

  it('share a message, which any other message ends', async () => {
    const bodies: unknown[] = []
    const outbox = new Outbox(({ body }) => bodies.push(body))
    const batch = new ValueBatch(outbox, json)
    batch.add(source, 0, '"a"')
    batch.add(source, 1, '"b"')
    outbox.put(json, '{"id":1}')
    batch.add(source, 2, '"c"')
    batch.add({ ...source }, 0, '"d"')
    await nextTick()
    const values = (index: number, value: object): object => ({
      jsonrpc: '2.0',
      method: 'c',
      params: { index, ...value },
    })
    expect(bodies.map(body => JSON.parse(body as string))).toEqual([
      [values(0, { values: ['a', 'b'] }), { id: 1 }, values(2, { value: 'c' }), values(0, { value: 'd' })],
    ])
  })

  it('are sent before the tick ends when their message is full', () => {
    const counts: number[] = []
    const outbox = new Outbox(({ body }) =>
      counts.push((JSON.parse(body as string).params.values ?? ['one']).length as number),
    )
    const batch = new ValueBatch(outbox, json)
    for (let index = 0; index < FULL_BATCH_VALUES; index++) batch.add(source, index, '1')
    for (let index = 0; index < 4; index++) batch.add(source, index, `"${'x'.repeat(FULL_BATCH_BYTES / 4)}"`)
    batch.add(source, 4, '1')
    expect(counts).toEqual([FULL_BATCH_VALUES, 4])
  })

  it('have a frame of their own behind messages of another codec', async () => {
    const { outbox, sent, put } = setUp()
    put(msgpack, 1)
    new ValueBatch(outbox, json).add(source, 0, '1')
    await nextTick()
    expect(sent.map(({ kind }) => kind)).toEqual([2, 1])
  })
})

function setUpEvents() {
  const frames: EncodedMessage[] = []
  const counts: number[] = []
  const outbox = new Outbox(({ body }, count) => {
    frames.push(body)
    counts.push(count)
  })
  const batch = new EventBatch(outbox)
  const add = (event: string, payload: unknown): void => {
    const encoded = EventBatch.encode(event, payload)
    if (typeof encoded !== 'object') throw new Error(`${event} cannot share a message`)
    batch.add(encoded)
  }
  return { frames, counts, outbox, add }
}

const nest = (depth: number, value: unknown): unknown => (depth === 0 ? value : [nest(depth - 1, value)])

describe('EventBatch', () => {
  it('joins consecutive events of one name', () => {
    const { frames, outbox, add } = setUpEvents()
    for (const payload of [1, { a: null }, 'x']) add('e', payload)
    add('other', 2)
    outbox.flush()
    expect(JSON.parse(frames[0] as string)).toEqual([
      { jsonrpc: '2.0', method: '$/emit', params: { event: 'e', payloads: [1, { a: null }, 'x'] } },
      { jsonrpc: '2.0', method: 'plugin:event|emit', params: { event: 'other', payload: 2 } },
    ])
  })

  it('counts each event of a frame', () => {
    const { counts, outbox, add } = setUpEvents()
    for (const event of ['a', 'a', 'a', 'b', 'a']) add(event, 1)
    outbox.flush()
    add('b', 1)
    outbox.flush()
    expect(counts).toEqual([5, 1])
  })

  it('throws for a payload that is too large or too deep', () =>
    rows(['x'.repeat(17 * 1024 * 1024), nest(70, 'x'.repeat(70_000)), 1n, JSON.parse('{"__proto__":1}') as unknown])(
      payload => expect(() => EventBatch.encode('e', payload)).toThrow(),
    ))

  it('does not encode an event without a payload, or with a long name', () => {
    expect(EventBatch.encode('e', undefined)).toBeUndefined()
    expect(EventBatch.encode('e'.repeat(256), 1)).toBeDefined()
    expect(EventBatch.encode('e'.repeat(257), 1)).toBeUndefined()
  })

  it('encodes a large event as a message of its own', () => {
    const payload = 'x'.repeat(20_000)
    const message = EventBatch.encode('e', payload) as string
    expect(JSON.parse(message)).toEqual({
      jsonrpc: '2.0',
      method: 'plugin:event|emit',
      params: { event: 'e', payload },
    })
  })

  it('does not make a deep payload part of a message whose depth is limited', () => {
    const { frames, outbox, add } = setUpEvents()
    // Each is 45 KB of UTF-8.
    const payload = nest(70, '€'.repeat(15_000))
    add('e', payload)
    add('e', payload)
    outbox.flush()
    const reader = new BatchReader()
    const messages = frames.flatMap(body => reader.read(FRAME_KIND.json, Buffer.from(body as string)))
    expect(messages.map(message => (message as { params: { payload: unknown } }).params.payload)).toEqual([
      payload,
      payload,
    ])
  })
})
