// Pages in a real browser, in more than one tab, over connections that are dropped or hang, and with a hostile program beside them.
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer, connect as connectSocket, type Server, type Socket } from 'node:net'
import type { WebOptions } from '@sallyport/web'
import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { hasChromium } from '../browser.ts'
import { allow, bus, context, dir, getStates, isReady, open, run, serve, web } from '../browser-page.ts'

describe.skipIf(!hasChromium)('a message over the limit of the server', () => {
  test('is refused by the page, with its size, and other calls go on', async () => {
    await serve('brownfield', { maxMessageBytes: 65_536 })
    const page = await open()
    const code = `
      let settled = 0; client.invoke("wait").then(() => settled++, () => settled++)
      const describe = error => [error.reason, error.message]
      return [
        await client.invoke("sizes", { a: new Uint8Array(70_000) }).catch(describe),
        await client.invoke("greet", { name: "x".repeat(70_000) }).catch(describe),
        (await client.invoke("greet", { name: "x".repeat(65_000) })).length,
        settled,
      ]`
    const text = expect.stringMatching(/^A message of 70\d\d\d bytes is over the limit of 65536$/)
    expect(await run(page, code)).toEqual([['InvalidParams', text], ['InvalidParams', text], 65_008, 0])
  })
})

describe.skipIf(!hasChromium)('a large call', () => {
  test.each([
    ['nested too deep', 'JSON.parse("[".repeat(70) + "]".repeat(70))', 'nested deeper than 64'],
    ['of too many values', 'Array(1_000_001).fill(0)', 'more than 1000000 values'],
  ])('%s is refused by the page, and other calls go on', async (_what, value, text) => {
    await serve('brownfield')
    const page = await open()
    const code = `
      const waiting = client.invoke("wait", {}, { timeout: 2000 }).catch(({ reason }) => reason)
      const args = { name: "x".repeat(70_000), value: ${value} }
      return [await client.invoke("greet", args).catch(({ reason, message }) => [reason, message]), await waiting]`
    expect(await run(page, code)).toEqual([['InvalidParams', expect.stringContaining(text)], 'Timeout'])
  })
})

const who = 'return client.invoke("who")'

/** Opens a window from a page, as `window.open` and a link do, and waits for its script. */
async function openWindow(page: Page): Promise<Page> {
  const [popup] = await Promise.all([page.waitForEvent('popup'), page.evaluate('void window.open("/")')])
  await isReady(popup)
  return popup
}

/** Opens a second tab with the session storage of the first, as browsers duplicate a tab. */
async function duplicate(page: Page): Promise<Page> {
  const storage = JSON.stringify(await page.evaluate('Object.entries(sessionStorage)'))
  const copy = await context.newPage()
  await copy.addInitScript(
    `if (sessionStorage.length === 0) for (const [key, value] of ${storage}) sessionStorage.setItem(key, value)`,
  )
  await copy.goto(page.url())
  await isReady(copy)
  return copy
}

describe.skipIf(!hasChromium).each([
  ['a window that a page opens', openWindow],
  ['a duplicated tab', duplicate],
])('%s', (_name, openCopy) => {
  test('is a second tab, which is refused, and the first one stays', async () => {
    await serve()
    const first = await open()
    await run(first, 'window.client = client')
    const copy = await openCopy(first)
    await copy.getByRole('alert').filter({ hasText: 'This page is open in another tab' }).waitFor()
    expect(await first.evaluate('client.invoke("who")')).toBe('main')
  })

  test('has a label of its own with `multiple`, which both keep when they are reloaded', async () => {
    await serve('brownfield', { page: { multiple: true } })
    const first = await open()
    await run(first, 'window.client = client')
    const copy = await openCopy(first)
    expect(await run(copy, who)).toBe('main-2')
    expect(await first.evaluate('client.invoke("who")')).toBe('main')
    for (const [page, label] of [
      [copy, 'main-2'],
      [first, 'main'],
    ] as const) {
      await page.reload()
      await isReady(page)
      expect(await run(page, who)).toBe(label)
    }
  })
})

describe.skipIf(!hasChromium)('a page that goes to another one and back', () => {
  test('keeps its label', async () => {
    await serve('brownfield', { page: { multiple: true } })
    await run(await open(), 'window.client = client')
    const page = await open()
    expect(await run(page, who)).toBe('main-2')
    await page.goto(`${web.url.split('?')[0]}?other`)
    await isReady(page)
    expect(await run(page, who)).toBe('main-2')
    await page.goBack()
    await isReady(page)
    expect(await run(page, who)).toBe('main-2')
  })
})

describe.skipIf(!hasChromium)('a second tab', () => {
  test('gets an error that the page is open, and can take over when the first one is closed', async () => {
    await serve()
    const first = await open()
    await run(first, 'window.client = client')
    const second = await context.newPage()
    await second.goto(web.url)
    await second.getByRole('alert').filter({ hasText: 'This page is open in another tab' }).waitFor()
    expect(await run(first, 'return client.invoke("who")')).toBe('main')
    await first.close()
    await expect.poll(getStates).toEqual({ main: 'disconnected' })
    await second.reload()
    await isReady(second)
    expect(await run(second, 'return client.invoke("who")')).toBe('main')
  })

  test('has a label of its own with `multiple`, and the same permissions', async () => {
    await serve('isolation', { page: { multiple: true } })
    const pages = [await open(), await open()]
    for (const page of pages) await run(page, 'window.client = client')
    expect(await Promise.all(pages.map(page => run(page, 'return client.invoke("who")')))).toEqual(['main', 'main-2'])
    expect(await run(pages[1]!, 'return client.label')).toBe('main-2')
    expect(await run(pages[1]!, 'return __TAURI_INTERNALS__.metadata.currentWindow.label')).toBe('main-2')
    await pages[1]!.reload()
    await isReady(pages[1]!)
    expect(await run(pages[1]!, 'return client.invoke("who")')).toBe('main-2')
    expect(await run(pages[1]!, 'return client.invoke("forbidden").catch(String)')).toContain('BusError [Denied]')
  })
})

/** Serves the page behind a proxy whose connections can be dropped, left hanging, or lead to another port. */
async function serveByProxy(options: Partial<WebOptions> = {}) {
  const sockets = new Set<Socket>()
  let isHanging = false
  let otherPort: number | undefined
  const proxy: Server = createServer(near => {
    // What a connection sends now would be lost, and the page would wait for an answer for 30 s.
    if (isHanging) return near.destroy()
    const far = connectSocket(otherPort ?? Number(new URL(web.url).port), '127.0.0.1')
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.on('data', data => isHanging || to.write(data))
      from.on('error', () => {})
      from.on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
    }
  })
  await once(proxy.listen(0, '127.0.0.1'), 'listening')
  const origin = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
  await serve('brownfield', { origins: [origin], ...options })
  const drop = (): void => sockets.forEach(socket => socket.destroy())
  return {
    url: web.url.replace(/^.*:\d+/, origin),
    drop,
    hang: (value: boolean): void => void (isHanging = value),
    leadTo: (port: number | undefined): void => void (otherPort = port),
    close(): void {
      proxy.close()
      drop()
    },
  }
}

const LISTEN = `
  window.events = []
  client.expose({ ping: () => 'pong' })
  await client.listen('tick', ({ payload }) => events.push(payload))
  window.failed = client.invoke('wait').catch(error => [error.reason, error.data.delivered])`

describe.skipIf(!hasChromium)('a page whose connection', () => {
  const answers = (): Promise<unknown> => bus.call('main', 'ping').catch(() => 'nothing')

  test('is lost reconnects: calls in flight settle, listeners and exposed functions remain', async () => {
    const proxy = await serveByProxy()
    const page = await open(proxy.url)
    await run(page, LISTEN)
    proxy.drop()
    expect(await page.evaluate('window.failed')).toEqual(['Disconnected', 'unknown'])
    await expect.poll(answers).toBe('pong')
    await bus.emit('tick', 1)
    await expect.poll(() => page.evaluate('events')).toEqual([1])
    expect(await run(page, 'return client.invoke("who")')).toBe('main')
    proxy.close()
  })

  test('hangs is closed by both ends, and opened again', async () => {
    const proxy = await serveByProxy({ heartbeat: 1000 })
    const page = await open(proxy.url)
    await run(page, LISTEN)
    proxy.hang(true)
    expect(await page.evaluate('window.failed')).toEqual(['Disconnected', 'unknown'])
    await expect.poll(getStates).toEqual({ main: 'disconnected' })
    proxy.hang(false)
    await expect.poll(answers).toBe('pong')
    proxy.close()
  })

  test('ends because core restarts reconnects', async () => {
    await serve('brownfield', { core: new URL('../fixtures/core.mjs', import.meta.url), page: { allow: ['who'] } })
    const page = await open()
    await run(page, LISTEN.replace(/window.failed.*/, ''))
    await bus.reload('core')
    await expect.poll(answers).toBe('pong')
    expect(await run(page, 'return client.invoke("who")')).toBe('main')
  })
})

describe.skipIf(!hasChromium)('a page that', { timeout: 60_000 }, () => {
  const getBuffers = (): number => process.memoryUsage().arrayBuffers

  test('is blocked costs bounded memory: events are dropped, and it goes on', async () => {
    // A busy machine can take longer than the usual heartbeat to send all of them.
    await serve('brownfield', { heartbeat: 60_000 })
    const page = await open()
    await run(page, 'window.seen = 0; await client.listen("tick", () => window.seen++)')
    const dialog = page.waitForEvent('dialog')
    const blocked = page.evaluate('alert("blocked")')
    const shown = await dialog
    const before = getBuffers()
    for (let n = 0; n < 3000; n++) await bus.emit('tick', 'x'.repeat(100_000))
    const { events, queued } = (await bus.stats()).frontends['main']!
    expect(events.dropped).toBeGreaterThan(1000)
    expect(queued).toBeLessThan(128 * 2 ** 20)
    expect(getBuffers() - before).toBeLessThan(64 * 2 ** 20)
    await shown.accept()
    await blocked
    expect(await run(page, 'return client.invoke("who")')).toBe('main')
    await expect.poll(() => page.evaluate('window.seen')).toBeGreaterThan(0)
  })

  test('floods gets an answer to each call, and costs the host bounded memory', async () => {
    await serve()
    const page = await open()
    const before = getBuffers()
    const flood = `const calls = Array.from({ length: 20_000 }, () => client.invoke("greet", { name: "x".repeat(1000) }))
      return new Set(await Promise.all(calls)).size`
    expect(await run(page, flood)).toBe(1)
    expect(getBuffers() - before).toBeLessThan(64 * 2 ** 20)
  })
})

describe.skipIf(!hasChromium)('a service worker', () => {
  const register = `navigator.serviceWorker.register('/app.js').then(() => 'registered', ({ message }) => message)`

  test('cannot be registered by a page', async () => {
    await serve()
    expect(await (await open()).evaluate(register)).toContain('403')
  })

  test('is removed if another program on the port has registered it', async () => {
    const server = createHttpServer(({ url }, response) => {
      response.setHeader('content-type', url === '/app.js' ? 'text/javascript' : 'text/html').end()
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    // A port that was closed could be that of another program by now.
    const proxy = await serveByProxy()
    proxy.leadTo((server.address() as AddressInfo).port)
    const page = await context.newPage()
    await page.goto(new URL(proxy.url).origin)
    expect(await page.evaluate(register)).toBe('registered')
    server.close()
    proxy.drop()
    proxy.leadTo(undefined)
    await page.goto(proxy.url)
    await expect.poll(() => page.evaluate('navigator.serviceWorker.getRegistrations().then(all => all.length)')).toBe(0)
    proxy.close()
  })
})

describe.skipIf(!hasChromium)('a page of another origin', () => {
  test('can neither read nor connect, even with the cookie', async () => {
    await serve('brownfield', { frontends: { main: { dir, allow }, other: { dir, allow: [] } } })
    await open()
    const other = await open(web.urls['other'])
    const url = new URL(web.url).origin
    const outcome = (code: string): Promise<unknown> => other.evaluate(`(async () => { ${code} })()`)
    expect(await outcome(`return fetch('${url}/').then(() => 'read', () => 'refused')`)).toBe('refused')
    const socket = `new Promise(resolve => {
      const socket = new WebSocket('${url.replace('http', 'ws')}/sallyport', 'a')
      socket.onopen = () => resolve('open')
      socket.onerror = () => resolve('refused')
    })`
    // The content security policy refuses it first: this page has none.
    const blank = await context.newPage()
    await blank.goto(`${new URL(web.urls['other']!).origin}/none`)
    expect(await blank.evaluate(socket)).toBe('refused')
    expect(await run(other, 'return client.invoke("who").catch(String)')).toContain('Denied')
  })
})
