// The calls of Tauri's example of all its plugins, with the unmodified packages, in a real browser and in both patterns.
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { type Bus, createBus } from '@sallyport/core'
import { serveFrontends, type WebServer } from '@sallyport/web'
import { type Browser, chromium, type Page } from 'playwright-core'
import { rolldown } from 'rolldown'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium'
const hasChromium = existsSync(executablePath)
if (!hasChromium) console.warn(`The page is not tested: there is no ${executablePath}`)

const app = new URL('api-app/', import.meta.url)
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

async function bundle(): Promise<string> {
  const build = await rolldown({ input: fileURLToPath(new URL('page.js', app)), platform: 'browser' })
  const { output } = await build.generate({ format: 'esm' })
  await build.close()
  return output[0].code
}

const getCapability = (url: string): object => ({
  identifier: 'main',
  windows: ['main'],
  permissions: [
    'core:default',
    'allow-log-operation',
    'allow-perform-request',
    { identifier: 'http:default', allow: [{ url }] },
    ...['default', 'allow-open', 'allow-write', 'allow-read', 'allow-rename', 'allow-mkdir', 'allow-remove'].map(
      name => `fs:${name}`,
    ),
    ...['allow-write-text-file', 'allow-read-file', 'allow-read-text-file', 'allow-watch', 'allow-unwatch'].map(
      name => `fs:${name}`,
    ),
    ...['allow-stat', 'allow-read-dir'].map(name => `fs:${name}`),
    { identifier: 'fs:scope-appdata-recursive', allow: [{ path: '$APPDATA/db/**' }] },
    ...['notification:default', 'os:default', 'store:default', 'log:default', 'shell:default', 'process:default'],
    ...['open', 'ask', 'save', 'confirm', 'message'].map(name => `dialog:allow-${name}`),
    ...['read-text', 'write-text', 'write-image'].map(name => `clipboard-manager:allow-${name}`),
  ],
})

describe.skipIf(!hasChromium).each(['brownfield', 'isolation'] as const)('in the pattern %s, a page', use => {
  const environment: Record<string, string | undefined> = {}
  let root: string
  let browser: Browser
  let server: Server
  let bus: Bus
  let web: WebServer
  let page: Page
  let url: string
  let image: string

  const write = (path: string, content: string | Buffer): string => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content)
    return join(root, path)
  }

  /** Changes the environment that core inherits. */
  const setEnvironment = (values: Record<string, string | undefined>): void => {
    for (const [name, value] of Object.entries(values)) {
      environment[name] ??= process.env[name]
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  }

  beforeAll(async () => {
    root = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-api-')))
    server = createServer((request, response) => {
      void text(request).then(body => response.end(JSON.stringify({ method: request.method, body })))
    })
    await once(server.listen(0, 'localhost'), 'listening')
    url = `http://localhost:${(server.address() as AddressInfo).port}/`
    const data = join(root, 'data')
    setEnvironment({ XDG_DATA_HOME: data, XDG_CONFIG_HOME: data, PICKED_FILE: write('picked.txt', 'picked') })
    image = write('data/com.example.api/db/a b.png', Buffer.from(PIXEL, 'base64'))
    mkdirSync(join(root, 'node_modules'), { recursive: true })
    symlinkSync(
      fileURLToPath(new URL('../../node_modules/@tauri-apps', import.meta.url)),
      join(root, 'node_modules/@tauri-apps'),
    )
    write('isolation/index.html', '<script src="index.js"></script>')
    write('isolation/index.js', 'window.__TAURI_ISOLATION_HOOK__ = payload => payload')
    write('dist/index.html', '<!doctype html><style>p {}</style><script type="module" src="/page.js"></script>')
    write('dist/page.js', await bundle())
    const pattern = use === 'isolation' ? { use, options: { dir: '../isolation' } } : { use }
    const security = {
      csp: "default-src 'self'; connect-src ipc: http://ipc.localhost; img-src 'self' asset: http://asset.localhost",
      assetProtocol: { enable: true, scope: ['$APPDATA/db/**'] },
      pattern,
    }
    const config = {
      identifier: 'com.example.api',
      productName: 'API',
      version: '2.0.0',
      app: { withGlobalTauri: true, security },
    }
    write('src-tauri/tauri.conf.json', JSON.stringify(config))
    write('src-tauri/capabilities/base.json', JSON.stringify(getCapability(url + '*')))
    bus = await createBus({ config: new URL(`file://${root}/src-tauri`), core: new URL('core.mjs', app), log: false })
    web = await serveFrontends(bus, { frontends: { main: { dir: join(root, 'dist') } } })
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
    page = await browser.newPage()
    await page.goto(web.url)
  })
  afterAll(async () => {
    await browser?.close()
    await bus?.close()
    server?.close()
    setEnvironment(environment)
    rmSync(root, { recursive: true })
  })

  const run = (view: string, argument?: string): Promise<unknown> =>
    page.evaluate(`views.${view}(${argument === undefined ? '' : JSON.stringify(argument)})`)

  test('is mounted', async () => {
    const { platform } = process
    const name = ({ darwin: 'macos', win32: 'windows' } as Record<string, string>)[platform] ?? platform
    expect(await run('mount')).toEqual(['main', name, expect.any(Boolean), 'function'])
  })

  test('shows the facts of the app, and asks the host to exit', async () => {
    expect(await run('welcome')).toEqual(['API', '2.0.0', expect.stringMatching(/^2\./), 3])
  })

  test('calls commands of the app, and exchanges events', async () => {
    expect(await run('communication')).toEqual(['dummy message response for test', 'received a message'])
  })

  test('opens dialogs, and reads the picked file', async () => {
    expect(await run('dialog')).toEqual(['picked', true, true, true])
  })

  test('uses files in the scope only', async () => {
    expect(await run('files')).toEqual([['a b.png', 'b.txt', 'c.txt'], 7, true, 'written', true])
  })

  test('shows an image by its path', async () => {
    expect(await run('image', image)).toEqual([1, 1])
  })

  test('sends requests in the scope only', async () => {
    expect(await run('http', url)).toEqual([{ method: 'POST', body: '{"a":1}' }, true, true])
  })

  test('stores values', async () => {
    expect(await run('store')).toEqual([[['name', 'value']], 'value', 0])
  })

  test('notifies', async () => {
    expect(await run('notifications')).toEqual([true, expect.stringContaining('Title')])
  })

  test('opens a URL', async () => {
    expect(await run('shell')).toMatch(/^https:\/\/tauri\.app/)
  })

  test('uses the clipboard of the host', async () => {
    expect(await run('clipboard', image)).toBe('copied')
  })

  test('has a core of at most 60 lines', () => {
    expect(readFileSync(new URL('core.mjs', app), 'utf8').split('\n').length).toBeLessThanOrEqual(60)
  })
})
