// The page of a Tauri project in a real browser: its policy, its assets, its scripts, and answers about its window.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type Bus, createBus, defineCore, plugin } from '@sallyport/core'
import { type PageOptions, serveFrontends, type WebServer } from '@sallyport/web'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { hasChromium, launch } from '../browser.ts'
import { createLog } from '../log.ts'

const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)
const api = dirname(
  createRequire(new URL('../../../../packages/core/package.json', import.meta.url)).resolve('@tauri-apps/api'),
)

let browser: Browser
let root: string
let bus: Bus
let web: WebServer
let page: Page
let lines: string[]

const core = defineCore({
  plugins: [
    plugin('os', { script: 'window.platform = typeof __TAURI_INTERNALS__.invoke + typeof window.__TAURI__' }),
    plugin('window', { commands: { is_maximized: () => 'of core', set_title: () => null } }),
  ],
})

beforeAll(async () => {
  if (hasChromium) browser = await launch()
})
afterAll(() => browser?.close())
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-page-')))
  lines = []
})
afterEach(async () => {
  await page.close()
  await web.close()
  await bus.close()
  rmSync(root, { recursive: true })
})

function write(path: string, content: string | Buffer): string {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), content)
  return join(root, path)
}

/** @param app - `app` of the configuration, if there is one */
async function open(html: string, app?: object, options?: PageOptions): Promise<void> {
  write('dist/index.html', html)
  const config = new URL(`file://${root}/src-tauri`)
  const capabilities = [{ identifier: 'main', windows: ['*'], permissions: ['core:default'] }]
  if (app) {
    const { security, ...rest } = app as { security?: object }
    write('src-tauri/tauri.conf.json', JSON.stringify({ app: { security: { capabilities, ...security }, ...rest } }))
  }
  bus = await createBus({ core, log: createLog(lines), ...(app ? { config } : { capabilities }) })
  web = await serveFrontends(bus, { frontends: { main: { dir: join(root, 'dist'), ...options } } })
  page = await browser.newPage({ viewport: { width: 800, height: 600 } })
  await page.goto(web.url)
}

const invoke = (command: string, args: object = {}): Promise<unknown> =>
  page.evaluate(`__TAURI_INTERNALS__.invoke(${JSON.stringify(command)}, ${JSON.stringify(args)}).catch(String)`)
const loadImage = (path: string): Promise<unknown> =>
  page.evaluate(`new Promise(resolve => {
    const image = new Image()
    image.onload = () => resolve('loaded')
    image.onerror = () => resolve('failed')
    image.src = __TAURI_INTERNALS__.convertFileSrc(${JSON.stringify(path)})
  })`)

describe.skipIf(!hasChromium)('a page', () => {
  const inline = '<style>body { color: rgb(1, 2, 3) }</style><script>window.ran = true</script>'
  const getColor = (): Promise<string> => page.evaluate('getComputedStyle(document.body).color')

  test('runs its inline scripts and styles by the policy of the project', async () => {
    await open(inline, { security: { csp: "default-src 'self'; connect-src ipc: http://ipc.localhost" } })
    expect([await page.evaluate('window.ran'), await getColor()]).toEqual([true, 'rgb(1, 2, 3)'])
    expect(await invoke('plugin:app|tauri_version')).toMatch(/^2\./)
    const added = 'document.head.append(Object.assign(document.createElement("script"), { text: "window.evil = 1" }))'
    expect(await page.evaluate(`${added}; window.evil`)).toBeUndefined()
  })

  test('breaks the default policy with one hint in the log', async () => {
    await open(inline)
    await expect.poll(() => lines.length).toBe(1)
    expect(lines[0]).toMatch(/"blocked":"inline".*The default content security policy blocked a part of the page/)
    await page.reload()
    await page.evaluate('document.body.innerHTML = `<p style="color: red">`.repeat(1000)')
    expect(await page.evaluate('fetch("/").then(({ status }) => status)')).toBe(200)
    expect(lines).toHaveLength(1)
  })

  test('loads images of the scope, and no others', async () => {
    const scope = { assetProtocol: { enable: true, scope: [join(root, 'media/*')] } }
    const picture = write('media/a b.png', PIXEL)
    const secret = write('secret.png', PIXEL)
    await open('', { security: { csp: "default-src 'self'; img-src asset: http://asset.localhost", ...scope } })
    expect([await loadImage(picture), await loadImage(secret)]).toEqual(['loaded', 'failed'])
    const url = await page.evaluate<string>(`__TAURI_INTERNALS__.convertFileSrc(${JSON.stringify(secret)})`)
    expect(await page.evaluate(`fetch(${JSON.stringify(url)}).then(({ status }) => status)`)).toBe(403)
  })

  test('gets a URL without the asset protocol too', async () => {
    await open('')
    expect(await loadImage(write('a.png', PIXEL))).toBe('failed')
  })

  test('is not changed by assets that contain scripts', async () => {
    const script = 'parent.evil = 1; window.evil = 1'
    const paths = [
      write('media/a.html', `<script>${script}</script>`),
      write('media/a.svg', `<svg xmlns="http://www.w3.org/2000/svg"><script>${script}</script></svg>`),
    ]
    const code = write('media/a.js', script)
    await open('', { security: { assetProtocol: { enable: true, scope: [join(root, '**')] } } })
    const load = (tag: string, path: string): Promise<unknown> =>
      page.evaluate(`new Promise(resolve => {
        const element = document.createElement(${JSON.stringify(tag)})
        element.onload = element.onerror = ({ type }) => resolve([type, window.evil])
        element.src = __TAURI_INTERNALS__.convertFileSrc(${JSON.stringify(path)})
        document.body.append(element)
      })`)
    for (const path of paths) expect(await load('iframe', path)).toEqual(['load', undefined])
    expect(await load('script', code)).toEqual(['error', undefined])
  })

  test("finds the project's API, the scripts of plugins and those of the host before its own", async () => {
    mkdirSync(join(root, 'node_modules/@tauri-apps'), { recursive: true })
    symlinkSync(api, join(root, 'node_modules/@tauri-apps/api'))
    const script = write('init.js', 'window.init = window.platform')
    const html = '<title>Own</title><script>window.order = [window.init, typeof __TAURI__.core.invoke]</script>'
    await open(html, { withGlobalTauri: true, security: { csp: "default-src 'self'" } }, { scripts: [script] })
    expect(await page.evaluate('window.order')).toEqual(['functionobject', 'function'])
    expect(await page.evaluate('__TAURI__.window.getCurrentWindow().title()')).toBe('Own')
    expect(lines).toEqual([])
  })

  test('answers what is asked about its window, unless core does', async () => {
    await open('<title>Own</title>')
    expect(await invoke('plugin:window|title', { label: 'main' })).toBe('Own')
    expect(await invoke('plugin:window|inner_size', { label: 'main' })).toEqual({ width: 800, height: 600 })
    expect(await invoke('plugin:window|is_visible')).toBe(true)
    await page.emulateMedia({ colorScheme: 'dark' })
    expect(await invoke('plugin:window|theme', { label: 'main' })).toBe('dark')
    expect(await invoke('plugin:window|current_monitor')).toMatchObject({ scaleFactor: 1, position: { x: 0, y: 0 } })
    expect(await invoke('plugin:window|is_maximized')).toBe('of core')
  })

  test.each([
    ['of another window', 'plugin:window|title', { label: 'other' }],
    ['that it cannot know', 'plugin:window|cursor_position', { label: 'main' }],
    ['that no one has', 'plugin:window|toString', {}],
    ['of a menu', 'plugin:menu|new', {}],
  ])('rejects a command %s', async (_which, command, args) => {
    await open('')
    expect(await invoke(command, args)).toBe(`${command} needs a native window of Tauri. This page runs in a browser`)
  })

  test('is denied a command of core as any other', async () => {
    await open('')
    expect(await invoke('plugin:window|set_title', { label: 'main', value: 'a' })).toContain('not allowed')
  })
})
