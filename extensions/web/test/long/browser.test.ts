// A page in a real browser: it calls, streams, listens and reloads. test/matrix/browser.test.ts has tabs, lost connections, floods and other origins.
import { beforeEach, describe, expect, test } from 'vitest'
import { choose } from '../../../../scripts/testing.js'
import { hasChromium } from '../browser.ts'
import { bus, getStates, isReady, open, run, serve } from '../browser-page.ts'

describe.skipIf(!hasChromium).each(choose(['brownfield', 'isolation'] as const))('in the pattern %s, a page', use => {
  beforeEach(() => serve(use))

  test('calls commands, with bytes and streams, as its capabilities allow', async () => {
    const page = await open()
    expect(page.url()).not.toContain('token')
    expect(await page.evaluate('document.cookie')).toBe('')
    expect(await run(page, 'return client.invoke("greet", { name: "page" })')).toBe('Hello, page!')
    const bytes = 'new Uint8Array(100_000).fill(7).with(0, 1)'
    expect(await run(page, `return (await client.invoke("reverse", { bytes: ${bytes} })).at(-1)`)).toBe(1)
    const loop = 'const all = []; for await (const n of client.stream("count", { to: 3 })) all.push(n); return all'
    expect(await run(page, loop)).toEqual([1, 2, 3])
    expect(await run(page, 'return client.invoke("forbidden").catch(String)')).toContain('BusError [Denied]')
    const { state, calls } = (await bus.stats()).frontends['main']!
    expect({ state, calls }).toEqual({ state: 'running', calls: 4 })
  })

  test('sends and receives bytes over any limit of a message, while other calls are in flight', async () => {
    const page = await open()
    const waiting = 'let settled = 0; client.invoke("wait").then(() => settled++, () => settled++);'
    const bytes = 'new Uint8Array(20 << 20).fill(7).with(0, 1)'
    const code = `${waiting}
      const bytes = ${bytes}
      const half = bytes.subarray(0, 10 << 20)
      const reversed = await client.invoke("reverse", { bytes })
      return [await client.invoke("sizes", { a: half, b: half }), reversed.length, reversed.at(-1), settled]`
    expect(await run(page, code)).toEqual([[10 << 20, 10 << 20], 20 << 20, 1, 0])
  })

  test('passes a channel of the class that it has imported', async () => {
    const page = await open()
    const code = `const onNumber = new Channel(); const all = []
      const called = client.invoke("each", { to: 2, onNumber }); for await (const n of onNumber) all.push(n)
      await called; return all`
    expect(await run(page, code)).toEqual([1, 2])
  })

  test('is denied the list of all windows as any other command', async () => {
    const page = await open()
    for (const command of ['plugin:window|get_all_windows', 'plugin:webview|get_all_webviews']) {
      const text = await run(page, `return client.invoke("${command}").catch(String)`)
      expect(text).toMatch(/^BusError \[Denied\]: .*not allowed/)
    }
    expect(await run(page, 'return client.invoke("plugin:window|set_title").catch(String)')).toContain('native window')
  })

  test('is refused values that JSON would change, in development', async () => {
    const page = await open()
    const problem = (args: string): Promise<string> =>
      run(page, `return client.invoke("greet", ${args}).then(() => "sent", ({ message }) => message)`)
    expect(await problem('{ name: new Set([1]) }')).toContain('name is a value of type Set')
    expect(await problem('{ name: { f: () => 1 } }')).toContain('name.f is a function')
    expect(await problem('{ bytes: new Uint8Array(1), name: new Map() }')).toContain('name is a value of type Map')
    expect(await problem('{ bytes: new Uint8Array(1), name: [new Float32Array(1)] }')).toContain(
      'name[0] is a value of',
    )
  })

  test('listens, emits, and is called', async () => {
    const page = await open()
    const emitted = bus.once('from-page', { timeout: 60_000 })
    await run(
      page,
      `client.expose({ upper: ({ text }) => text.toUpperCase() })
       await client.listen("to-page", ({ payload }) => client.emit("from-page", payload + 1))`,
    )
    await bus.emit('to-page', 41)
    expect((await emitted).payload).toBe(42)
    expect(await bus.call('main', 'upper', { text: 'abc' })).toBe('ABC')
  })

  test('takes its label over when it is reloaded', async () => {
    const page = await open()
    for (let n = 0; n < 3; n++) {
      await page.reload()
      await isReady(page)
      expect(await run(page, 'return client.invoke("who")')).toBe('main')
    }
    expect(await getStates()).toEqual({ main: 'running' })
  })

  test('frees its label for the next page when it is closed', async () => {
    const page = await open()
    await run(page, 'window.client = client')
    await page.close()
    await expect.poll(getStates).toEqual({ main: 'disconnected' })
    await expect(bus.call('main', 'upper', { text: 'a' })).rejects.toMatchObject({ reason: 'Disconnected' })
    expect(await run(await open(), 'return client.invoke("who")')).toBe('main')
  })
})
