import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isBusError } from '@sallyport/protocol'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadIsolationApp } from './app.js'

const fixture = (name: string): URL => new URL(`../../test/fixtures/dist-isolation-${name}/`, import.meta.url)

let root: string
let count = 0

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'sallyport-app-'))
})
afterAll(() => rm(root, { recursive: true }))

/** A folder with these files, beside a file `outside.js`. */
async function folder(files: Record<string, string>): Promise<string> {
  const dir = join(root, `app-${(count += 1)}`)
  await mkdir(dir)
  await writeFile(join(root, 'outside.js'), '')
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(dir, name)), { recursive: true })
    await writeFile(join(dir, name), text)
  }
  return dir
}

async function failure(dir: string | URL): Promise<string> {
  const error: unknown = await loadIsolationApp(dir).catch((thrown: unknown) => thrown)
  expect(isBusError(error, 'InvalidParams')).toBe(true)
  return (error as Error).message.replaceAll(root, '…')
}

describe('a Tauri isolation app', () => {
  test('the scripts of index.html, by a path, a URL or its text', async () => {
    const url = fixture('log')
    const app = await loadIsolationApp(url)
    expect(app.scripts.map(script => script.name)).toEqual(['index.js'])
    expect(app.scripts[0]?.source).toContain('window.__TAURI_ISOLATION_HOOK__ = (payload) =>')
    expect((await loadIsolationApp(url.href)).scripts).toEqual(app.scripts)
    expect((await loadIsolationApp(app.dir)).scripts).toEqual(app.scripts)
  })

  test('inline and external, in document order; data, templates, noscript, nomodule and comments are not run', async () => {
    const { scripts } = await loadIsolationApp(fixture('several'))
    expect(scripts.map(script => script.name)).toEqual([
      'index.html:inline#1',
      'lib/first.js',
      'index.html:inline#2',
      'lib/last one.js',
    ])
    expect(scripts[3]?.source).not.toContain('not run beside a src')
  })

  test('byte order marks, entities in src, characters of HTML in a script', async () => {
    const dir = await folder({
      'index.html': '\uFEFF<script src="a&amp;b.js"></script><script>if (1 < 2 && "</b>&amp;") x = 1</script>',
      'a&b.js': '\uFEFFlet one',
    })
    const { scripts } = await loadIsolationApp(dir)
    expect(scripts.map(script => script.source)).toEqual(['let one', 'if (1 < 2 && "</b>&amp;") x = 1'])
  })
})

describe('a mistake is named, with its place', () => {
  const index = (html: string, files: Record<string, string> = {}): Promise<string> =>
    folder({ 'index.html': `<!doctype html>\n${html}`, ...files }).then(failure)

  test('no folder, no index.html, a file in place of a folder', async () => {
    expect(await failure(join(root, 'nowhere'))).toBe('Isolation app: there is no folder …/nowhere: it does not exist')
    expect(await failure(pathToFileURL(join(root, 'nowhere')))).toContain('there is no folder …/nowhere')
    expect(await failure(new URL('https://example.org/'))).toContain('not https://example.org/')
    expect(await folder({}).then(failure)).toMatch(/app-\d+\/index\.html can't be read: it does not exist$/)
    expect(await failure(join(root, 'outside.js'))).toContain('…/outside.js is not a folder')
  })

  test('the path is named as it was given', async () => {
    const error = await loadIsolationApp('./no/such/folder').catch(String)
    expect(error).toBe('BusError: Isolation app: there is no folder ./no/such/folder: it does not exist')
  })

  test.each([
    ['<p>no script</p>', /index\.html has no script/],
    ['<script type="application/json">{}</script>', /index\.html has no script/],
    ['<script src="index.js"></script>', /index\.html:2: <script src="index\.js">: .*index\.js can't be read: it does/],
    ['<p>\n<script src=" "></script>', /index\.html:3: <script src=""> is empty/],
    ['<script src="../outside.js"></script>', /<script src="..\/outside\.js"> leads out of/],
    ['<script src="..\\outside.js"></script>', /leads out of/],
    ['<script src="%2e%2e/outside.js"></script>', /leads out of/],
    ['<script src="/../outside.js"></script>', /leads out of/],
    ['<script src="."></script>', /leads out of/],
    ['<script src="%"></script>', /is not a valid URL/],
    ['<script src="%00"></script>', /can't be read/],
    ['<script src="https://example.org/x.js"></script>', /is an absolute URL/],
    ['<script src="//example.org/x.js"></script>', /is an absolute URL/],
    ['<script src="data:text/javascript,1"></script>', /is an absolute URL/],
    ['<script type="module" src="index.js"></script>', /index\.html:2: <script type="module">: ES modules don't run/],
    ['<script type="module">export {}</script>', /use a classic script/],
    [
      '<script>\n\nlet a b</script>',
      /index\.html:4: Unexpected identifier.*\(index\.html:inline#1 has to run as a class/,
    ],
    ['<script>with ({}) {}</script>', /index\.html:2: Strict mode code may not include a with statement/],
    ['<script>import x from "./x.js"</script>', /index\.html:2: Cannot use import statement outside a module/],
  ])('%s', async (html, message) => expect(await index(html)).toMatch(message))

  test('a script that does not parse is named by its line', async () => {
    expect(await index('<script src="js/index.js"></script>', { 'js/index.js': 'let a\nlet b c' })).toMatch(
      /js\/index\.js:2: Unexpected identifier/,
    )
  })

  test.skipIf(process.platform === 'win32')('a link that leads out of the folder', async () => {
    const dir = await folder({ 'index.html': '<script src="link.js"></script>' })
    await symlink(join(root, 'outside.js'), join(dir, 'link.js'))
    expect(await failure(dir)).toContain('<script src="link.js"> leads out of')
    const linked = join(root, 'linked')
    await symlink(await folder({ 'index.html': '<script src="in.js"></script>', 'in.js': '1' }), linked)
    expect((await loadIsolationApp(linked)).scripts).toHaveLength(1)
  })
})
