// Pages in a real browser: they join, call, stream, listen, reload, and reconnect.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Bus, createBus, defineCore } from '@sallyport/core'
import { serveFrontends, type WebOptions, type WebServer } from '@sallyport/web'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { hasChromium, launch } from './browser.ts'

const core = defineCore({
  commands: {
    greet: ({ name }: { name: string }) => `Hello, ${name}!`,
    reverse: ({ bytes }: { bytes: Uint8Array }) => bytes.toReversed(),
    async *count({ to }: { to: number }) {
      for (let n = 1; n <= to; n++) yield n
    },
    wait: () => new Promise(() => {}),
    forbidden: () => 1,
  },
})

describe.skipIf(!hasChromium).each(['brownfield', 'isolation'] as const)('%s', use => {
  let browser: Browser
  let bus: Bus
  let web: WebServer
  let page: Page
  let dir: string

  const serve = async (options: Partial<WebOptions['frontends'][string]> = {}): Promise<void> => {
    const allow = ['greet', 'reverse', 'count', 'wait']
    web = await serveFrontends(bus, { frontends: { main: { dir, allow, ...options } } })
  }
  /** Runs code in the page, with the client as `client`. */
  const run = <T>(code: string, on = page): Promise<T> =>
    on.evaluate(`(async () => { const client = await connect(); ${code} })()`)

  beforeAll(async () => {
    browser = await launch()
  })
  afterAll(() => browser.close())
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'sallyport-web-'))
    writeFileSync(
      join(dir, 'index.html'),
      '<!doctype html><title>Page</title><script type="module" src="app.js"></script>',
    )
    writeFileSync(
      join(dir, 'app.js'),
      'import { connect } from "./client.js"; window.connect = connect; window.ready = true',
    )
    const client = await import('node:fs').then(fs =>
      fs.readFileSync(join(import.meta.dirname, '../dist/browser/client.js')),
    )
    writeFileSync(join(dir, 'client.js'), client)
    bus = await createBus({ core, log: false, app: { security: { pattern: { use } } } })
    page = await browser.newPage()
  })
  afterEach(async () => {
    await page.context().close()
    await web.close()
    await bus.close()
    rmSync(dir, { recursive: true })
  })

  const open = async (on = page): Promise<void> => {
    await on.goto(web.url)
    await on.waitForFunction('window.ready')
  }

  test('calls commands, with bytes and streams, as its capabilities allow', async () => {
    await serve()
    await open()
    expect(page.url()).not.toContain('token')
    expect(await run('return client.invoke("greet", { name: "page" })')).toBe('Hello, page!')
    const bytes = 'new Uint8Array(100_000).fill(7).with(0, 1)'
    expect(await run(`return (await client.invoke("reverse", { bytes: ${bytes} })).at(-1)`)).toBe(1)
    const loop = 'const all = []; for await (const n of client.stream("count", { to: 3 })) all.push(n); return all'
    expect(await run(loop)).toEqual([1, 2, 3])
    expect(await run('return client.invoke("forbidden").catch(String)')).toContain('BusError [Denied]')
    const { state, calls } = (await bus.stats()).frontends['main']!
    expect({ state, calls }).toEqual({ state: 'running', calls: 4 })
  })
})
