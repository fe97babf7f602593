// The app's page in Chromium, as a browser and Tauri's window run it: over real IPC, with the project's capabilities and its hook.
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Bus, createBus } from '@sallyport/core'
import { serveFrontends, type WebServer } from '@sallyport/web'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { buildPage } from '../../build-page.js'

const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium'
const hasChromium = existsSync(executablePath)
if (!hasChromium) console.warn(`The app's page is not tested: there is no ${executablePath}`)

describe.skipIf(!hasChromium).each(['brownfield', 'isolation'] as const)('with the pattern %s, the page', use => {
  const root = mkdtempSync(join(tmpdir(), 'tauri-notes-'))
  const note = join(root, 'sallyport-notes/milk.md')
  const temp = process.env['TMPDIR']
  let browser: Browser
  let bus: Bus
  let web: WebServer
  let page: Page

  beforeAll(async () => {
    process.env['TMPDIR'] = root
    await buildPage(join(root, 'dist'))
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
  })
  afterAll(async () => {
    await browser.close()
    rmSync(root, { recursive: true })
    if (temp === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = temp
  })
  beforeEach(async () => {
    mkdirSync(join(root, 'sallyport-notes'), { recursive: true })
    writeFileSync(note, 'Buy milk\nand bread\n')
    const project = fileURLToPath(new URL('../../src-tauri/', import.meta.url))
    const open = join(root, 'src-tauri')
    cpSync(project, open, { recursive: true })
    writeFileSync(join(open, 'tauri.conf.json'), '{}')
    bus = await createBus({
      config: use === 'isolation' ? project : open,
      core: new URL('../../src-tauri/core.js', import.meta.url),
      log: false,
    })
    web = await serveFrontends(bus, { frontends: { main: { dir: join(root, 'dist') } } })
    page = await browser.newPage()
  })
  afterEach(async () => {
    await page.close()
    await bus.close()
    await web.closed
  })

  test('shows a note, saves it, and receives events', async () => {
    await page.goto(web.url)
    await page.getByRole('heading', { name: 'Buy milk' }).waitFor()
    await page.getByRole('textbox').fill('Call home\n')
    await page.getByRole('heading', { name: 'Call home' }).waitFor()
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('Saved', { exact: true }).waitFor()
    expect(readFileSync(note, 'utf8')).toBe('Call home\n')
    await page.evaluate('__TAURI_INTERNALS__.invoke("count_notes")')
    await page.getByText(/^\d+ notes$/).waitFor()
  })

  test('runs the same script as the worker', async () => {
    const printed: string[] = []
    page.on('console', message => message.type() === 'log' && printed.push(message.text()))
    const done = bus.once('done', { timeout: 15_000 })
    await page.goto(web.url)
    await page.addScriptTag({ url: '/notes.js', type: 'module' })
    await done
    await expect.poll(() => printed.at(-1)).toMatch(/^Notes so far: \d$/)
    expect(printed).toEqual([
      'This is the window main.',
      'The title of the note: Buy milk',
      '| Buy milk',
      '| and bread',
      '| and butter',
      'milk.md has 30 bytes',
      expect.stringMatching(/^\/etc\/hostname → forbidden path: \/etc\/hostname/),
      expect.stringMatching(
        /^sallyport-notes\/..\/secret → (?:.*rejected by the isolation hook|invalid args `path` .* cannot traverse directory)/,
      ),
      expect.stringMatching(/^Notes so far: \d$/),
    ])
  })

  test('gets an error for calls that need a native window', async () => {
    await page.goto(web.url)
    const setTitle = page.evaluate(
      '__TAURI_INTERNALS__.invoke("plugin:window|set_title", { value: "a" }).catch(String)',
    )
    expect(await setTitle).toMatch(/^plugin:window\|set_title needs a native window of Tauri/)
  })
})
