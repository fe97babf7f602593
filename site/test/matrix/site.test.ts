// Builds the site, and looks at it: every page is there and can be reached, links and their anchors lead somewhere, and nothing
// is asked of any other server. chromium.test.ts looks at it in a browser.
import { execFile } from 'node:child_process'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import MiniSearch from 'minisearch'
import { miniSearch } from '../../.vitepress/search.js'
import { FIRST_HITS, QUESTIONS } from '../questions.ts'
import { sidebar } from '../../.vitepress/sidebar.js'
import { rows } from '../../../scripts/testing.js'

const cwd = join(import.meta.dirname, '../..')
const dist = join(cwd, 'dist')
const vitepress = join(cwd, 'node_modules/vitepress/bin/vitepress.js')
const run = promisify(execFile)
const pages = new Map<string, string>()

/** The page of an export. The sidebar has the index of each entry. */
const isExport = (page: string): boolean => /^\/api\/[^/]+\/./.test(page)

beforeAll(async () => {
  await run(process.execPath, ['api.mjs'], { cwd })
  await run(process.execPath, [vitepress, 'build'], { cwd })
  for (const file of readdirSync(dist, { recursive: true, encoding: 'utf8' }))
    if (file.endsWith('.html')) {
      const address = `/${file.replaceAll('\\', '/').replace(/(index)?\.html$/, '')}`
      pages.set(address, readFileSync(join(dist, file), 'utf8'))
    }
}, 300_000)

test('the sidebar has every page, and every entry exists', () => {
  const listed = sidebar().flatMap(({ items = [] }) => items.map(({ link }) => link))
  const others = [...pages.keys()].filter(page => !['/', '/404'].includes(page) && !isExport(page))
  expect(new Set(listed)).toEqual(new Set(others))
  expect(listed).toContain('/api/core/')
})

test('each export has a page of its own, which the index of its entry lists, functions first', () => {
  const index = pages.get('/api/core/')!
  const headings = [...index.matchAll(/<h2 id="([\w-]+)"/g)].map(([, id]) => id)
  expect(headings.slice(0, 5)).toEqual(['functions', 'variables', 'classes', 'interfaces', 'type-aliases'])
  expect(index).toContain('href="/api/core/functions/createBus"')
  const exported = [...pages.keys()].filter(isExport)
  expect(exported.length).toBeGreaterThan(150)
  const linked = new Set([...pages.values()].flatMap(html => html.match(/(?<=href=")\/api\/[^"#]+/g) ?? []))
  expect(exported.filter(page => !linked.has(page))).toEqual([])
})

test('each option has an address', () => {
  const ids = [...pages.get('/reference/options')!.matchAll(/<tr id="([\w-]+)"><td[^>]*><a [^>]*href="#([\w-]+)"/g)]
  expect(ids.every(([, id, link]) => id === link)).toBe(true)
  const options = ['core', 'calls-slowafter', 'frontend-sandbox', 'run-timeout', 'bus-close']
  expect(ids.map(([, id]) => id)).toEqual(expect.arrayContaining(options))
})

test('the home page has an icon, a preview, pictures of both themes, and lists and the table of the README', () => {
  const html = pages.get('/')!
  expect(html).toMatch(/<link rel="icon"[^>]* href="data:image\/svg/)
  expect(html).toMatch(/<meta property="og:title" content="Sallyport \| Run plugins/)
  expect(html).toMatch(/<img [^>]*class="only-light"[^>]*>\s*<img [^>]*class="only-dark"/)
  expect(html).toContain('<strong>Supervision</strong>')
  expect(html).toMatch(/<th[^>]*>hostile code in<\/th>/)
  for (const guide of ['code-mode', 'mcp', 'scripts']) expect(html).toContain(`<a href="/guide/${guide}"`)
})

test('links within the site lead to a page, and to an id on it', () => {
  const dead: string[] = []
  for (const [page, html] of pages)
    for (const [, link = ''] of html.matchAll(/<a [^>]*href="([/#][^"]*)"/g)) {
      const [path = '', hash] = link.split('#')
      const target = path === '' ? html : pages.get(path)
      const found = target !== undefined && (!hash || target.includes(`id="${decodeURIComponent(hash)}"`))
      if (!found && !existsSync(join(dist, path))) dead.push(`${page}: ${link}`)
    }
  expect(dead).toEqual([])
})

describe('the search', () => {
  let index: MiniSearch

  beforeAll(async () => {
    const chunks = join(dist, 'assets/chunks')
    const file = readdirSync(chunks).find(name => name.startsWith('@localSearchIndex'))!
    const { default: json } = (await import(pathToFileURL(join(chunks, file)).href)) as { default: string }
    const { options, searchOptions } = miniSearch
    // The fields are VitePress's.
    const fields = ['title', 'titles', 'text']
    index = MiniSearch.loadJSON(json, { fields, storeFields: ['title'], searchOptions, ...options })
  })

  /** Returns the pages of the best hits, without `#` and what follows it. */
  const search = (question: string): string[] =>
    index
      .search(question)
      .slice(0, 2)
      .map(({ id }) => String(id).slice(1).replace(/#.*/, ''))

  test('finds the page for one word first', () =>
    rows(FIRST_HITS)((question, page) => expect(search(question)[0]).toBe(page)))

  test('finds the page for a question as the first or second hit', () =>
    rows(QUESTIONS)((question, ...answers) => {
      const found = search(question)
      expect(
        answers.filter(page => found.includes(page)),
        found.join(', '),
      ).not.toEqual([])
      const examples = answers.map(page => readFileSync(join(cwd, `../docs/${page}.md`), 'utf8'))
      for (const page of examples) expect(page).toMatch(/^```(js|ts|sh|yaml)$/m)
    }))
})

test('nothing is loaded from other sites', () => {
  const elsewhere = /(?:src=|@import (?:url\()?)["']?https?:[^"')]+|<link [^>]*href="https?:[^"]+/g
  const styles = readdirSync(join(dist, 'assets')).filter(file => file.endsWith('.css'))
  const texts = [...pages.values(), ...styles.map(file => readFileSync(join(dist, 'assets', file), 'utf8'))]
  expect(texts.flatMap(text => text.match(elsewhere) ?? [])).toEqual([])
})
