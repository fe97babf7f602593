// Pages as Tauri serves them: routes, the content security policy of a project, assets and scripts. Over HTTP, without a browser.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { request } from 'node:http'
import { runInNewContext } from 'node:vm'
import { Worker } from 'node:worker_threads'
import { once } from 'node:events'
import { type Bus, createBus, defineCore, type Plugin, plugin } from '@sallyport/core'
import { type PageOptions, serveFrontends, type WebServer } from '@sallyport/web'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createLog } from './log.ts'
import { type Answer, get } from './raw.ts'
import { rows } from '../../../scripts/testing.js'

let root: string
let dir: string
let bus: Bus | undefined
let web: WebServer | undefined
let cookie: string
let port: number
let lines: string[]

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-pages-')))
  dir = join(root, 'dist')
  lines = []
  write('dist/index.html', '<!doctype html><title>Index</title>')
})
const stop = async (): Promise<void> => {
  await web?.close()
  await bus?.close()
  web = bus = undefined
}
afterEach(async () => {
  await stop()
  rmSync(root, { recursive: true })
})

function write(path: string, text: string): string {
  const target = join(root, path)
  mkdirSync(dirname(target), { recursive: true })
  writeFileSync(target, text)
  return target
}

interface Project {
  /** `app` of the configuration; without it the bus has no configuration. */
  app?: object
  page?: PageOptions
  plugins?: Plugin[]
  dev?: boolean
}

async function serve({ app, page, plugins = [], dev = false }: Project = {}): Promise<void> {
  if (app) write('src-tauri/tauri.conf.json', JSON.stringify({ identifier: 'com.example.pages', app }))
  bus = await createBus({
    core: defineCore({ plugins }),
    log: createLog(lines),
    dev,
    ...(app && { config: join(root, 'src-tauri') }),
  })
  web = await serveFrontends(bus, { frontends: { main: { dir, ...page } } })
  const url = new URL(web.url)
  port = Number(url.port)
  cookie = `sallyport-${port}-main=${url.searchParams.get('token')}`
}

const load = (path: string, headers: Record<string, string> = {}): Promise<Answer> =>
  get(port, path, { cookie, ...headers })
const navigate = (path: string): Promise<Answer> => load(path, { 'sec-fetch-mode': 'navigate' })
const getTitle = ({ status, text }: Answer): string =>
  status === 200 ? /<title>(.*)<\/title>/.exec(text)![1]! : `${status}`

describe('a route', () => {
  beforeEach(async () => {
    write('dist/about.html', '<title>About</title>')
    write('dist/settings/index.html', '<title>Settings</title>')
    write('dist/both.html', '<title>Both</title>')
    write('dist/both/index.html', '<title>Not this</title>')
    await serve()
  })

  test('leads to a file, a directory, or the index', () =>
    rows([
      ['/about', 'About'],
      ['/about/', 'About'],
      ['/about.html', 'About'],
      ['/settings', 'Settings'],
      ['/settings/', 'Settings'],
      ['/both', 'Both'],
      ['/', 'Index'],
      ['/some/route/', 'Index'],
      ['/users/jane.doe', 'Index'],
    ])(async (path, title) => {
      expect(getTitle(await navigate(path))).toBe(title)
    }))

  test('is not found if it names a file', () =>
    rows(['/missing.js', '/missing.png', '/.git/config', '/%2e%2e%2fsecret', '/sallyport/missing', '/a%00b'])(
      async path => {
        expect((await navigate(path)).status).toBe(404)
      },
    ))

  test('is not found by a script, except for its own file', async () => {
    expect((await load('/some/route', { 'sec-fetch-mode': 'cors', accept: 'text/html' })).status).toBe(404)
    expect(getTitle(await load('/about', { 'sec-fetch-mode': 'cors' }))).toBe('About')
  })

  test('needs no fetch metadata if the browser accepts HTML', async () => {
    expect(getTitle(await load('/some/route', { accept: 'text/html,*/*' }))).toBe('Index')
    expect((await load('/some/route', { accept: '*/*' })).status).toBe(404)
  })
})

test.runIf(process.platform !== 'win32')('a pipe is not found, and holds no thread', async () => {
  execFileSync('mkfifo', [join(dir, 'pipe')])
  await serve()
  expect(await Promise.all(Array.from({ length: 8 }, async () => (await load('/pipe')).status))).toEqual(
    Array(8).fill(404),
  )
})

describe('the policy', () => {
  const getPolicy = async (path = '/'): Promise<Record<string, string>> => {
    const text = (await load(path)).headers['content-security-policy'] as string
    return Object.fromEntries(
      text.split('; ').map(directive => [directive.split(' ')[0]!, directive.replace(/^\S+ ?/, '')]),
    )
  }
  const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

  test('is that of the project, with the WebSocket and hashes of inline elements', async () => {
    const html = '<!-- <script>no</script> --><style>a{}</style><script>let a\r\n</script><script src="a.js"></script>'
    write('dist/index.html', html)
    const csp = "default-src 'self'; img-src 'self' asset: http://asset.localhost; style-src 'self' 'unsafe-inline'"
    await serve({ app: { security: { csp } } })
    expect(await getPolicy()).toEqual({
      'default-src': "'self'",
      'img-src': `'self' asset: http://asset.localhost http://127.0.0.1:${port}/sallyport/asset/`,
      'style-src': `'self' 'unsafe-inline' ${hash('a{}')}`,
      'script-src': `'self' ${hash('let a\n')}`,
      'connect-src': `'self' ws://127.0.0.1:${port} wss://127.0.0.1:${port}`,
    })
    expect((await load('/')).headers['x-frame-options']).toBeUndefined()
  })

  test('can be an object, and keeps the directives that the project protects', async () => {
    write('dist/index.html', '<style>a{}</style><script>1</script>')
    const csp = { 'default-src': ["'none'"], 'style-src': "'unsafe-inline'", 'script-src': ["'self'"] }
    await serve({ app: { security: { csp, dangerousDisableAssetCspModification: ['style-src'] } } })
    expect(await getPolicy()).toMatchObject({
      'default-src': "'none'",
      'style-src': "'unsafe-inline'",
      'script-src': `'self' ${hash('1')}`,
      'connect-src': `'self' ws://127.0.0.1:${port} wss://127.0.0.1:${port}`,
    })
  })

  test('restricts nothing but framing if the project has none', async () => {
    await serve({ app: { security: { csp: null } } })
    expect(await getPolicy()).toEqual({ 'frame-ancestors': "'self'" })
  })

  test.each([
    [true, "'self' 'unsafe-eval'"],
    [false, "'self'"],
  ])('is `devCsp` if the option `dev` is %s', async (dev, expected) => {
    await serve({ app: { security: { csp: "default-src 'self'", devCsp: "default-src 'self' 'unsafe-eval'" } }, dev })
    expect((await getPolicy())['default-src']).toBe(expected)
  })

  test('is that of the options, unchanged', async () => {
    await serve({ app: { security: { csp: "default-src 'self'" } }, page: { csp: "img-src 'none'" } })
    expect(await getPolicy()).toEqual({ 'img-src': "'none'" })
  })
})

describe('a report on the default policy', () => {
  const report = async (body: string, headers: Record<string, string> = {}): Promise<number> => {
    const sent = request({ port, path: '/sallyport/csp-report', method: 'POST', headers: { cookie, ...headers } })
    sent.on('error', () => {}).end(body)
    const [response] = (await once(sent, 'response')) as [import('node:http').IncomingMessage]
    response.resume()
    return response.statusCode!
  }
  const violation = JSON.stringify({
    'csp-report': { 'effective-directive': 'style-src-elem', 'blocked-uri': 'inline' },
  })

  test('becomes one hint in the log, however many follow', async () => {
    await serve()
    expect(await report(violation, { origin: 'null', 'sec-fetch-site': 'same-origin' })).toBe(204)
    for (let i = 0; i < 20; i++) expect(await report('x'.repeat(2 ** 17))).toBe(204)
    expect(lines).toHaveLength(1)
    expect(JSON.parse(lines[0]!)[0]).toEqual({ label: 'main', directive: 'style-src-elem', blocked: 'inline' })
  })

  test('is ignored if it is no report', async () => {
    await serve()
    const long = { 'csp-report': { 'blocked-uri': 'x'.repeat(2 ** 15), 'effective-directive': 'a' } }
    const bodies = ['x', JSON.stringify(long), '{"csp-report":{"effective-directive":{},"blocked-uri":1}}', 'null']
    for (const body of bodies) expect(await report(body), body.slice(0, 60)).toBe(204)
    expect(lines).toEqual([])
  })

  test('is refused without the cookie, and from another site', async () => {
    await serve()
    expect(await report(violation, { cookie: '' })).toBe(401)
    expect(await report(violation, { origin: 'https://evil.example' })).toBe(403)
    expect(await report(violation, { 'sec-fetch-site': 'cross-site' })).toBe(403)
    expect(lines).toEqual([])
  })
})

describe('an asset', () => {
  const scope = (allow: string[], deny: string[] = []) => ({
    security: { assetProtocol: { enable: true, scope: { allow, deny } } },
  })
  const loadAsset = (path: string, headers?: Record<string, string>): Promise<Answer> =>
    load(`/sallyport/asset/${encodeURIComponent(path)}`, headers)

  test('in the scope is served, also in part, and can never run in the page', async () => {
    const path = write('media/a b.html', '<script>1</script>')
    await serve({ app: scope([join(root, 'media/**')]) })
    const { status, text, headers } = await loadAsset(path)
    expect([status, text]).toEqual([200, '<script>1</script>'])
    expect(headers).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'content-security-policy': expect.stringMatching(/^sandbox; /),
      'x-content-type-options': 'nosniff',
    })
    const part = await loadAsset(path, { range: 'bytes=1-6' })
    expect([part.status, part.text, part.headers['content-range']]).toEqual([206, 'script', 'bytes 1-6/18'])
  })

  test('is refused unless the project enables the protocol', async () => {
    const path = write('media/a.txt', 'a')
    await serve({ app: { security: { assetProtocol: { enable: false, scope: ['**'] } } } })
    expect((await loadAsset(path)).status).toBe(403)
  })

  test('is refused out of the scope, whether it exists or not', async () => {
    write('media/deep/a.txt', 'a')
    const secret = write('secret.txt', 'secret')
    write('media/private/key', 'secret')
    write('media/.env', 'secret')
    symlinkSync(secret, join(root, 'media/link.txt'))
    symlinkSync(root, join(root, 'media/up'))
    await serve({
      app: scope([join(root, 'media/*'), join(root, 'media/private/**')], [join(root, 'media/Private/**')]),
    })
    const paths = ['deep/a.txt', '../secret.txt', 'link.txt', 'up/secret.txt', 'private/key', '.env', '../missing']
    for (const path of paths) expect.soft((await loadAsset(`${root}/media/${path}`)).status, path).toBe(403)
    for (const path of ['', 'media/a', 'file:///etc/passwd', 'a\0', '/'.repeat(5000)]) {
      expect.soft((await loadAsset(path)).status, path.slice(0, 10)).toBe(403)
    }
    expect((await load('/sallyport/asset/%')).status).toBe(403)
    expect((await loadAsset(`${root}/media/missing`)).status).toBe(404)
    expect((await loadAsset(`${root}/media/up`)).status).toBe(403)
    expect((await loadAsset(`${root}/media/deep`)).status).toBe(404)
  })

  test('is refused if a deny with a set of characters matches its file', () =>
    rows([
      ['[_-z]*', 'secret'],
      ['[_-z]*', 'SECRET'],
      ['[!A]*', 'a'],
      ['[!a-z]*', 'Z'],
      ['[a-z]*', 'Z'],
    ])(async (pattern, name) => {
      await stop()
      const path = write(`media/${name}`, 'secret')
      await serve({ app: scope([join(root, 'media/*')], [join(root, 'media', pattern)]) })
      expect((await loadAsset(path)).status).toBe(403)
    }))

  test('is never a file out of the scope while directories are renamed', async () => {
    write('media/real/file', 'public')
    write('outside/file', 'secret')
    symlinkSync(join(root, 'outside'), join(root, 'media/link'))
    await serve({ app: scope([join(root, 'media/**')]) })
    const code = `
      const { renameSync } = require('node:fs'), { workerData: media } = require('node:worker_threads')
      for (;;) for (const [from, to] of [['real', 'x'], ['link', 'real'], ['real', 'link'], ['x', 'real']]) {
        renameSync(media + '/' + from, media + '/' + to)
      }`
    const worker = new Worker(code, { eval: true, workerData: join(root, 'media') })
    const texts = new Set<string>()
    for (let i = 0; i < 100; i++) {
      const answers = await Promise.all(Array.from({ length: 8 }, () => loadAsset(join(root, 'media/real/file'))))
      for (const { text } of answers) texts.add(text)
    }
    await worker.terminate()
    expect(texts).toContain('public')
    expect(texts).not.toContain('secret')
  })

  test('is found through a link in the scope itself', async () => {
    write('real/a.txt', 'a')
    symlinkSync(join(root, 'real'), join(root, 'linked'))
    await serve({ app: scope([join(root, 'linked/**')]) })
    expect((await loadAsset(join(root, 'linked/a.txt'))).text).toBe('a')
  })

  test('is found below a variable, and an unknown directory is ignored with a warning', async () => {
    await serve({ app: scope(['$HOME/sallyport-missing/*', '$RESOURCE/**']) })
    expect((await loadAsset(`${process.env['HOME']}/sallyport-missing/a`)).status).toBe(404)
    expect(lines.join()).toContain('app.security.assetProtocol.scope: \\"$RESOURCE/**\\" is ignored: unknown path')
  })

  test('needs the cookie', async () => {
    const path = write('media/a.txt', 'a')
    await serve({ app: scope(['/**']) })
    expect((await loadAsset(path, { cookie: '' })).status).toBe(401)
  })

  test('cannot have a scope with a wrong glob', async () => {
    await expect(serve({ app: scope(['/a**']) })).rejects.toThrow(
      'app.security.assetProtocol.scope: "/a**": recursive wildcards must form a single path component',
    )
  })
})

describe('scripts', () => {
  const getScripts = async (): Promise<string[]> => {
    const { text } = await load('/')
    return Array.from(text.matchAll(/<script src="([^"]+)"/g), ([, url]) => url!)
  }

  test("run before those of the page: first those of core's plugins, then those of the host", async () => {
    write('dist/index.html', '<script src="app.js"></script>')
    const plugins = [
      plugin('first', { script: 'first()' }),
      plugin('none', {}),
      plugin('second', { script: 'second()' }),
    ]
    await serve({ plugins, page: { scripts: [write('init.js', 'init()')] } })
    const urls = await getScripts()
    const texts = await Promise.all(urls.slice(1, -1).map(async url => (await load(url)).text))
    expect(texts).toEqual(['first()', 'second()', 'init()'])
    expect([urls[0], urls.at(-1)]).toEqual(['/sallyport/page.js', 'app.js'])
  })

  test('include the API of the project with `withGlobalTauri`', async () => {
    const api = 'node_modules/@tauri-apps/api'
    write(`${api}/package.json`, '{ "exports": { ".": { "import": "./index.js", "require": "./index.cjs" } } }')
    write(`${api}/index.cjs`, "const core = require('./core.cjs'); exports.core = core; exports.name = 'api'")
    write(`${api}/core.cjs`, "const index = require('./index.cjs'); exports.getName = () => index.name")
    await serve({ app: { withGlobalTauri: true } })
    const [, url] = await getScripts()
    const window: { __TAURI__?: { core: { getName(): string } } } = {}
    runInNewContext((await load(url!)).text, { window })
    expect(window.__TAURI__!.core.getName()).toBe('api')
    expect(lines).toEqual([])
  })

  test('leave it out with one warning if the project does not have it', async () => {
    // Without this, a package in NODE_PATH would be found.
    write('node_modules/@tauri-apps/api/package.json', '{ "exports": "./missing.cjs" }')
    await serve({ app: { withGlobalTauri: true } })
    expect(await getScripts()).toEqual(['/sallyport/page.js'])
    expect(lines.join()).toMatch(/app.withGlobalTauri has no effect: Cannot find module .*missing.cjs'. Install/)
    expect(lines).toHaveLength(1)
  })

  test('must exist', async () => {
    await expect(serve({ page: { scripts: [join(root, 'missing.js')] } })).rejects.toThrow(
      `serveFrontends: frontends.main.scripts[0]: there is no file ${join(root, 'missing.js')}`,
    )
  })
})
