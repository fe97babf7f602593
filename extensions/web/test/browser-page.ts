// A page in a real browser, on a bus of its own in each test.
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Bus, type BusOptions, type Channel, createBus, defineCore } from '@sallyport/core'
import { serveFrontends, type PageOptions, type WebOptions, type WebServer } from '@sallyport/web'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'
import { hasChromium, launch } from './browser.ts'

const commands = defineCore({
  commands: {
    greet: ({ name }: { name: string }) => `Hello, ${name}!`,
    sizes: (args: Record<string, Uint8Array>) => Object.values(args).map(({ length }) => length),
    reverse: ({ bytes }: { bytes: Uint8Array }) => bytes.toReversed(),
    async *count({ to }: { to: number }) {
      for (let n = 1; n <= to; n++) yield n
    },
    each: async ({ to, onNumber }: { to: number; onNumber: Channel<number> }) => {
      for (let n = 1; n <= to; n++) await onNumber.send(n)
      onNumber.end()
    },
    wait: () => new Promise(() => {}),
    who: (_args: object, { label }: { label: string }) => label,
    forbidden: () => 1,
  },
})
export const allow = ['greet', 'sizes', 'reverse', 'count', 'each', 'wait', 'who']
const client = fileURLToPath(new URL('../dist/browser/client.js', import.meta.url))

let browser: Browser
export let context: BrowserContext
export let dir: string
export let bus: Bus
export let web: WebServer

beforeAll(async () => {
  if (hasChromium) browser = await launch()
  dir = mkdtempSync(join(tmpdir(), 'sallyport-web-'))
  writeFileSync(
    join(dir, 'index.html'),
    '<!doctype html><title>Page</title><script type="module" src="app.js"></script>',
  )
  writeFileSync(
    join(dir, 'app.js'),
    'import { Channel, connect } from "./client.js"; Object.assign(window, { Channel, connect, ready: true })',
  )
  copyFileSync(client, join(dir, 'client.js'))
})
afterAll(async () => {
  await browser?.close()
  rmSync(dir, { recursive: true })
})
beforeEach(async () => {
  context = await browser?.newContext()
})
afterEach(async () => {
  await context?.close()
  await web.close()
  await bus.close()
})

export async function serve(
  use: 'brownfield' | 'isolation' = 'brownfield',
  { page, core = commands, ...options }: Partial<WebOptions> & { page?: PageOptions; core?: BusOptions['core'] } = {},
): Promise<void> {
  bus = await createBus({ core, log: false, ...(use === 'isolation' && { isolation: {} }) })
  web = await serveFrontends(bus, { frontends: { main: { dir, allow, ...page } }, ...options })
}

/** Waits until the page's own script has run. */
export const isReady = (page: Page): Promise<void> => expect.poll(() => page.evaluate('window.ready')).toBe(true)

export async function open(url = web.url): Promise<Page> {
  const page = await context.newPage()
  await page.goto(url)
  await isReady(page)
  return page
}

/** Runs code in a page, with its client as `client`. */
export const run = <T>(page: Page, code: string): Promise<T> =>
  page.evaluate(`(async () => { const client = await connect(); ${code} })()`)

export const getStates = async (): Promise<Record<string, string>> =>
  Object.fromEntries(Object.entries((await bus.stats()).frontends).map(([label, { state }]) => [label, state]))
