// Streams and channels of pages in a real browser, in both directions: arguments of calls, results of exposed functions, their ends and
// their back-pressure.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineCore } from '@sallyport/core'
import { Channel } from '@sallyport/frontend'
import type { Page } from 'playwright-core'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { hasChromium } from '../browser.ts'
import { bus, dir, isReady, open, serve } from '../browser-page.ts'

const core = defineCore({
  commands: {
    async sum({ numbers }: { numbers: AsyncIterable<number> }) {
      let sum = 0
      for await (const number of numbers) sum += number
      return sum
    },
    async bytes({ body }: { body: AsyncIterable<Uint8Array> }) {
      let bytes = 0
      for await (const chunk of body) bytes += chunk.byteLength
      return bytes
    },
    async first({ numbers }: { numbers: AsyncIterable<number> }) {
      for await (const number of numbers) return number
    },
    async read({ label, count }: { label: string; count: number }, { app }) {
      const values: unknown[] = []
      for await (const value of app.stream(label, 'upTo', { count })) values.push(value)
      return values
    },
  },
})

/** What the page exposes; `log` has what has happened in it. */
const PAGE = `
  import { connect } from './client.js'
  const client = await connect()
  const log = []
  async function* upTo({ count }) { for (let n = 0; n < count; n++) yield n }
  async function* chunks({ size }, { signal }) {
    signal.addEventListener('abort', () => log.push('aborted'))
    try { for (;;) { window.produced++; yield new Uint8Array(size) } } finally { log.push('ended') }
  }
  async function* throws() { yield 1; throw new RangeError('no more') }
  async function* stalls() { yield 1; await new Promise(() => {}) }
  async function* double({ body }) { for await (const value of body) yield value * 2 }
  const readable = () => new ReadableStream({
    start(controller) { controller.enqueue('a'); controller.enqueue('b'); controller.close() },
  })
  async function total({ body }) {
    let bytes = 0
    for await (const chunk of body) bytes += chunk.length
    return bytes
  }
  async function firstOf({ body }) { for await (const value of body) return value }
  async function report({ count, progress }) {
    for (let n = 0; n < count; n++) await progress.send(n)
    progress.end()
    return 'reported'
  }
  const reportUntilClosed = async ({ progress }) => {
    try { for (let n = 0; ; n++) await progress.send(n) } catch (error) { return error.reason }
  }
  client.expose({ upTo, chunks, throws, stalls, double, readable, total, firstOf, report, reportUntilClosed })
  Object.assign(window, { client, log, upTo, produced: 0, ready: true })`

let page: Page

const allow = ['sum', 'bytes', 'first', 'read']

beforeAll(() => writeFileSync(join(dir, 'app.js'), PAGE))

const run = <T>(code: string): Promise<T> => page.evaluate(`(async () => { ${code} })()`)
const getLog = (): Promise<string[]> => page.evaluate('log')

async function collect(stream: AsyncIterable<unknown>): Promise<unknown[]> {
  const values: unknown[] = []
  for await (const value of stream) values.push(value)
  return values
}

describe.skipIf(!hasChromium).each(['brownfield', 'isolation'] as const)('in the pattern %s, a page', use => {
  beforeEach(async () => {
    await serve(use, { core, page: { allow } })
    page = await open()
  })

  test('passes generators and readable streams to commands, with numbers and bytes', async () => {
    expect(await run('return client.invoke("sum", { numbers: upTo({ count: 1000 }) })')).toBe(499_500)
    const numbers = 'new ReadableStream({ start(c) { c.enqueue(1); c.enqueue(2); c.close() } })'
    expect(await run(`return client.invoke("sum", { numbers: ${numbers} })`)).toBe(3)
    const body = 'new Blob([new Uint8Array(5_000_000)]).stream()'
    expect(await run(`return client.invoke("bytes", { body: ${body} })`)).toBe(5_000_000)
  })

  test('has the generator of a command ended when the command has read enough, or the call is cancelled', async () => {
    const source = `(async function* () { try { for (let n = 7; ; n++) yield n } finally { log.push('left') } })()`
    expect(await run(`return client.invoke("first", { numbers: ${source} })`)).toBe(7)
    await expect.poll(getLog).toEqual(['left'])
    const cancelled = `
      const controller = new AbortController()
      async function* numbers() { try { for (let n = 0; ; n++) { yield n; controller.abort() } } finally { log.push('left') } }
      return client.invoke("sum", { numbers: numbers() }, { signal: controller.signal }).catch(({ reason }) => reason)`
    expect(await run(cancelled)).toBe('Cancelled')
    await expect.poll(getLog).toEqual(['left', 'left'])
  })

  test('rejects a call with the error of the stream that it passes', async () => {
    const source = `(async function* () { yield 1; throw new Error('source failed') })()`
    const code = `return client.invoke("sum", { numbers: ${source} }).catch(({ message }) => message)`
    expect(await run(code)).toContain('source failed')
    const locked = 'const numbers = new ReadableStream(); numbers.getReader()'
    const refused = `${locked}; return client.invoke("sum", { numbers }).catch(({ message }) => message)`
    expect(await run(refused)).toContain('The argument "numbers" of command "sum" cannot be read')
  })

  test('streams from its functions, to the host and to core', async () => {
    expect(await collect(bus.stream('main', 'upTo', { count: 1000 }))).toHaveLength(1000)
    expect(await collect(bus.stream('main', 'readable'))).toEqual(['a', 'b'])
    expect(await run('return client.invoke("read", { label: "main", count: 3 })')).toEqual([0, 1, 2])
    expect(await collect(bus.frontend('main')['upTo']!({ count: 2 }) as never)).toEqual([0, 1])
    await expect(collect(bus.stream('main', 'throws'))).rejects.toMatchObject({
      reason: 'CommandFailed',
      message: expect.stringContaining('no more') as string,
    })
    await expect(bus.call('main', 'upTo', { count: 1 })).rejects.toMatchObject({ reason: 'InvalidRequest' })
  })

  test('waits while nobody reads its stream, and its generator ends when the loop is left', async () => {
    const size = 2 ** 20
    for await (const chunk of bus.stream<Uint8Array>('main', 'chunks', { size })) {
      expect(chunk).toHaveLength(size)
      await expect.poll(() => page.evaluate('produced')).toBeGreaterThan(4)
      // Calls pass while it waits.
      for (let call = 0; call < 50; call++) await run('return client.invoke("read", { label: "main", count: 1 })')
      // As of a worker: 1 MiB and two values more between page and core, 4 MiB and one more between core and host.
      expect(await page.evaluate('produced')).toBeLessThan(14)
      break
    }
    await expect.poll(getLog).toEqual(['aborted', 'ended'])
  })

  test('is held to a deadline without an item', async () => {
    const stream = bus.stream('main', 'stalls', {}, { timeout: { idle: 3000 } })
    expect(await stream.next()).toEqual({ done: false, value: 1 })
    await expect(stream.next()).rejects.toMatchObject({ reason: 'Timeout' })
  })

  test('reads streams among the arguments of its functions', async () => {
    let isLeft = false
    async function* body() {
      try {
        for (let n = 0; n < 5; n++) yield new Uint8Array(100_000)
      } finally {
        isLeft = true
      }
    }
    expect(await bus.call('main', 'total', { body: body() })).toBe(500_000)
    expect(isLeft).toBe(true)
    isLeft = false
    expect(await bus.call('main', 'firstOf', { body: body() })).toHaveLength(100_000)
    await expect.poll(() => isLeft).toBe(true)
    const numbers = async function* () {
      yield* [1, 2, 3]
    }
    expect(await collect(bus.stream('main', 'double', { body: numbers() }))).toEqual([2, 4, 6])
  })

  test('sends on a channel that is an argument of its function, until nobody reads it', async () => {
    const progress = new Channel<number>()
    const call = bus.call('main', 'report', { count: 100, progress })
    expect(await collect(progress)).toHaveLength(100)
    expect(await call).toBe('reported')
    const closing = new Channel<number>(n => n === 10 && closing.close())
    expect(await bus.call('main', 'reportUntilClosed', { progress: closing })).toBe('Disconnected')
  })

  test('that reloads in mid-stream ends its streams, and streams again', async () => {
    let isLeft = false
    async function* body() {
      try {
        for (;;) yield new Uint8Array(1000)
      } finally {
        isLeft = true
      }
    }
    const call = bus.call('main', 'total', { body: body() }).catch((error: unknown) => error)
    const stream = bus.stream('main', 'chunks', { size: 100 })
    await stream.next()
    await page.reload()
    const drain = async (): Promise<void> => {
      for await (const _chunk of stream);
    }
    await expect(drain()).rejects.toMatchObject({ reason: 'Disconnected' })
    expect(await call).toMatchObject({ reason: 'Disconnected' })
    await expect.poll(() => isLeft).toBe(true)
    await isReady(page)
    expect(await collect(bus.stream('main', 'upTo', { count: 3 }))).toEqual([0, 1, 2])
    expect(await run('return client.invoke("sum", { numbers: upTo({ count: 3 }) })')).toBe(3)
  })

  test('that closes in mid-stream rejects what reads it, and leaves nothing open', async () => {
    const reading = bus.stream('main', 'stalls')
    await reading.next()
    const next = reading.next().catch((error: unknown) => error)
    await run(
      'void client.invoke("sum", { numbers: (async function* () { yield 1; await new Promise(() => {}) })() }).catch(() => {})',
    )
    await expect.poll(async () => (await bus.stats()).frontends['main']!.inFlight).toBe(1)
    await page.close()
    expect(await next).toMatchObject({ reason: 'Disconnected' })
    await expect.poll(async () => (await bus.stats()).frontends['main']!.inFlight).toBe(0)
  })
})
