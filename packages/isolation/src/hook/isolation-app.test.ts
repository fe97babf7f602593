import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isBusError } from '@sallyport/protocol/internal/errors'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { loadIsolationApp } from './isolation-app.js'

const fixture = (name: string): URL => new URL(`../../test/fixtures/dist-isolation-${name}/`, import.meta.url)

let root: string
let count = 0

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'sallyport-app-'))
})
afterAll(() => rm(root, { recursive: true }))

/** Creates a directory with these files, next to a file `outside.js`. */
async function createDirectory(files: Record<string, string>): Promise<string> {
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
  test('loads the scripts of index.html from a path or a URL', async () => {
    const url = fixture('log')
    const app = await loadIsolationApp(url)
    expect(app.scripts.map(script => script.name)).toEqual(['index.js'])
    expect(app.scripts[0]?.source).toContain('window.__TAURI_ISOLATION_HOOK__ = (payload) =>')
    expect((await loadIsolationApp(url.href)).scripts).toEqual(app.scripts)
    expect((await loadIsolationApp(app.dir)).scripts).toEqual(app.scripts)
  })

  test('loads inline and external scripts in document order, without those that a browser would not run', async () => {
    const { scripts } = await loadIsolationApp(fixture('several'))
    expect(scripts.map(script => script.name)).toEqual([
      'index.html:inline#1',
      'lib/first.js',
      'index.html:inline#2',
      'lib/last one.js',
    ])
    expect(scripts[3]?.source).not.toContain('not run next to a src')
  })

  test('handles byte order marks, entities in src, and HTML characters in a script', async () => {
    const dir = await createDirectory({
      'index.html': '\uFEFF<script src="a&amp;b.js"></script><script>if (1 < 2 && "</b>&amp;") x = 1</script>',
      'a&b.js': '\uFEFFlet one',
    })
    const { scripts } = await loadIsolationApp(dir)
    expect(scripts.map(script => script.source)).toEqual(['let one', 'if (1 < 2 && "</b>&amp;") x = 1'])
  })
})

describe('an invalid isolation app', () => {
  const index = (html: string, files: Record<string, string> = {}): Promise<string> =>
    createDirectory({ 'index.html': `<!doctype html>\n${html}`, ...files }).then(failure)

  test('is rejected when the directory or its index.html is missing, or the directory is a file', async () => {
    expect(await failure(join(root, 'nowhere'))).toBe('Isolation app: directory …/nowhere not found: it does not exist')
    expect(await failure(pathToFileURL(join(root, 'nowhere')))).toContain('directory …/nowhere not found')
    expect(await failure(new URL('https://example.org/'))).toContain('not https://example.org/')
    expect(await createDirectory({}).then(failure)).toMatch(/app-\d+\/index\.html cannot be read: it does not exist$/)
    expect(await failure(join(root, 'outside.js'))).toContain('…/outside.js is not a directory')
  })

  test('is named by its configured path', async () => {
    const error = await loadIsolationApp('./no/such/directory').catch(String)
    expect(error).toBe(
      'BusError [InvalidParams]: Isolation app: directory ./no/such/directory not found: it does not exist',
    )
  })

  test('is refused, and its mistake named', () =>
    rows([
      ['<p>no script</p>', /index\.html has no script/],
      ['<script type="application/json">{}</script>', /index\.html has no script/],
      [
        '<script src="index.js"></script>',
        /index\.html:2: <script src="index\.js">: .*index\.js cannot be read: it does/,
      ],
      ['<p>\n<script src=" "></script>', /index\.html:3: <script src=""> is empty/],
      ['<script src="../outside.js"></script>', /<script src="..\/outside\.js"> leads out of/],
      ['<script src="..\\outside.js"></script>', /leads out of/],
      ['<script src="%2e%2e/outside.js"></script>', /leads out of/],
      ['<script src="/../outside.js"></script>', /leads out of/],
      ['<script src="."></script>', /leads out of/],
      ['<script src="%"></script>', /is not a valid URL/],
      ['<script src="%00"></script>', /cannot be read/],
      ['<script src="https://example.org/x.js"></script>', /is an absolute URL/],
      ['<script src="//example.org/x.js"></script>', /is an absolute URL/],
      ['<script src="data:text/javascript,1"></script>', /is an absolute URL/],
      ['<script type="module" src="index.js"></script>', /index\.html:2: <script type="module">: ES modules don't run/],
      ['<script type="module">export {}</script>', /use a classic script/],
      [
        '<script>\n\nlet a b</script>',
        /index\.html:4: Unexpected identifier.*\(index\.html:inline#1 must run as a class/,
      ],
      ['<script>with ({}) {}</script>', /index\.html:2: Strict mode code may not include a with statement/],
      ['<script>import x from "./x.js"</script>', /index\.html:2: Cannot use import statement outside a module/],
    ])(async (html, message) => expect(await index(html)).toMatch(message)))

  test('is rejected with the line of a script that does not parse', async () => {
    expect(await index('<script src="js/index.js"></script>', { 'js/index.js': 'let a\nlet b c' })).toMatch(
      /js\/index\.js:2: Unexpected identifier/,
    )
  })

  test.skipIf(process.platform === 'win32')('is rejected when a symbolic link leads out of the directory', async () => {
    const dir = await createDirectory({ 'index.html': '<script src="link.js"></script>' })
    await symlink(join(root, 'outside.js'), join(dir, 'link.js'))
    expect(await failure(dir)).toContain('<script src="link.js"> leads out of')
    const linked = join(root, 'linked')
    await symlink(await createDirectory({ 'index.html': '<script src="in.js"></script>', 'in.js': '1' }), linked)
    expect((await loadIsolationApp(linked)).scripts).toHaveLength(1)
  })
})
