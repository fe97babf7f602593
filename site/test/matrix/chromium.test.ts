// Builds the site, and looks at its pages in a browser: they fit, search without a network, and are accessible.
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import axe from 'axe-core'
import { chromium, type Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { sidebar } from '../../.vitepress/sidebar.js'

const cwd = join(import.meta.dirname, '../..')
const vitepress = join(cwd, 'node_modules/vitepress/bin/vitepress.js')
const run = promisify(execFile)
const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'

describe.skipIf(!existsSync(executablePath))('in Chromium', () => {
  let server: ChildProcess
  let browser: Browser
  let address: string

  beforeAll(async () => {
    await run(process.execPath, ['api.mjs'], { cwd })
    await run(process.execPath, [vitepress, 'build'], { cwd })
    const probe = createServer().listen(0)
    await once(probe, 'listening')
    const { port } = probe.address() as AddressInfo
    await new Promise(resolve => probe.close(resolve))
    server = spawn(process.execPath, [vitepress, 'preview', '--port', `${port}`], { cwd, stdio: 'ignore' })
    address = `http://localhost:${port}/`
    await vi.waitFor(() => fetch(address), 30_000)
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
  }, 300_000)
  afterAll(async () => {
    await browser?.close()
    server?.kill()
  })

  test.each([
    ['light', 1440],
    ['dark', 400],
  ] as const)(
    '%s, %i pixels wide: it has its theme, and searches without a network',
    async (colorScheme, width) => {
      const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme })
      const elsewhere: string[] = []
      const errors: string[] = []
      page.on('request', request => void (request.url().startsWith(address) || elsewhere.push(request.url())))
      page.on('pageerror', error => errors.push(String(error)))
      // Vue takes the pages over: what is drawn is still there.
      await page.goto(`${address}guide/concepts`)
      await page.waitForLoadState('networkidle')
      expect(await page.locator('.diagram g.actor, .diagram g.node').count()).toBe(6)
      expect(await page.evaluate("document.documentElement.classList.contains('dark')")).toBe(colorScheme === 'dark')
      await page.getByRole('button', { name: 'Search' }).first().click()
      await page.locator('input[type=search]').fill('maxInFlight')
      await page.locator('.results a', { hasText: /./ }).first().waitFor()
      expect({ elsewhere, errors }).toEqual({ elsewhere: [], errors: [] })
      await page.close()
    },
    60_000,
  )

  /** All but decisions, changes and exports of the API. */
  const pages = sidebar().flatMap(({ items = [] }) => items.map(({ link }) => link!.slice(1)))
  const measured = ['', 'api/core/', ...pages.filter(page => /^(?:guide|reference|internals)\//.test(page))]
  /** What does not fit: the page, tables, and code where a line of 80 characters has room. */
  const TOO_WIDE = `[document.documentElement, ...document.querySelectorAll('.vp-doc table, .vp-doc pre')]
    .filter(each => each.scrollWidth > each.clientWidth && (innerWidth > 640 || each.tagName !== 'PRE'))
    .map(each => each.tagName + ' ' + each.textContent.trim().slice(0, 40))`

  test.each([
    [390, 'screen'],
    [1100, 'screen'],
    [1280, 'screen'],
    [1440, 'screen'],
    [1920, 'screen'],
    [794, 'print'],
  ] as const)(
    '%i pixels of a %s: pages, tables and code fit',
    async (width, media) => {
      const page = await browser.newPage({ viewport: { width, height: 900 } })
      await page.emulateMedia({ media })
      const found: string[] = []
      for (const path of measured) {
        await page.goto(`${address}${path}`, { waitUntil: 'domcontentloaded' })
        found.push(...(await page.evaluate<string[]>(TOO_WIDE)).map(each => `${path}: ${each}`))
      }
      expect(found).toEqual([])
      await page.close()
    },
    240_000,
  )

  const PATHS = ['', 'guide/quick-start', 'reference/options', 'internals/results', 'api/core/', 'no-such-page']

  test.each([
    ['light', 1440],
    ['dark', 1024],
    ['light', 390],
  ] as const)(
    '%s, %i pixels wide: axe finds nothing',
    async (colorScheme, width) => {
      const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme })
      const found: string[] = []
      for (const path of PATHS) {
        await page.goto(`${address}${path}`)
        // Only the browser draws the page of a wrong path.
        await page.locator('main h1').first().waitFor()
        await page.addScriptTag({ content: axe.source })
        const violations = await page.evaluate<string[]>(
          'axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + " " + nodes[0].html))',
        )
        found.push(...violations.map(violation => `${path}: ${violation}`))
      }
      expect(found).toEqual([])
      await page.close()
    },
    180_000,
  )

  test('a phone shows the guides in its menu, the copy button of code, and tables as lists', async () => {
    const page = await browser.newPage({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true })
    await page.goto(address)
    await page.locator('.VPNavBarHamburger').click()
    await page.getByRole('button', { name: 'Guides' }).click()
    await page.getByRole('link', { name: 'Streams and cancellation' }).click()
    await page.waitForURL('**/guide/streams-and-cancellation')
    const getStyle = (selector: string, name: string): Promise<unknown> =>
      page.evaluate(`getComputedStyle(document.querySelector('${selector}')).${name}`)
    await page.locator('h1', { hasText: 'Streams and cancellation' }).waitFor()
    expect(await getStyle('.vp-doc pre code', 'fontSize')).toBe('12px')
    expect(await getStyle('button.copy', 'opacity')).toBe('1')
    await page.goto(`${address}reference/options#calls-slowafter`)
    const [option, meaning] = await Promise.all(
      [0, 3].map(at => page.locator('#calls-slowafter td').nth(at).boundingBox()),
    )
    expect(meaning!.y).toBeGreaterThan(option!.y)
    expect(meaning!.width).toBeGreaterThan(300)
    await page.close()
  }, 60_000)
})
