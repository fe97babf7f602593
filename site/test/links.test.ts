// Links of the pages lead to files of the repository, and to headings that are there: by GitHub's rule, which is the site's too. No line between
// its rows ends a table.
import GithubSlugger from 'github-slugger'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { allPages, root } from '../blocks/markdown.js'
import { resolveLink } from '../.vitepress/places.js'
import { rows } from '../../scripts/testing.js'

const withoutCode = (text: string): string => text.replace(/^( *)```[^]*?^\1```$/gm, '')

function getAnchors(path: string): Set<string> {
  const slugger = new GithubSlugger()
  const text = withoutCode(readFileSync(path, 'utf8'))
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title.replaceAll(/\[([^\]]+)\]\([^)]+\)/g, '$1'),
  )
  return new Set(headings.map(title => slugger.slug(title.replaceAll(/[`*]/g, ''))))
}

function findDeadLinks(page: string, text: string): string[] {
  const links = [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link)
  return links.filter(link => {
    if (/^(https?|mailto):/.test(link)) return false
    const [place = '', anchor] = link.split('#')
    const path = place ? join(root, dirname(page), place) : join(root, page)
    if (!existsSync(path)) return true
    return anchor !== undefined && path.endsWith('.md') && !getAnchors(path).has(anchor)
  })
}

const all = Object.fromEntries(allPages().map(({ page, text }) => [page, text]))

test('the links of every page lead to existing files and headings', () =>
  rows(all)((text, page) => expect(findDeadLinks(page, text)).toEqual([])))

/** Rows after an empty line that begin no table: a table begins with two rows, of which the second has only dashes and colons. */
const findLostRows = (text: string): string[] =>
  [...withoutCode(text).matchAll(/^\|.*\n\n(\|.*)\n(.*)$/gm)].flatMap(([, row = '', next = '']) =>
    /^[|\s:-]+$/.test(next) ? [] : [row],
  )

test('the tables of every page have no empty lines', () => rows(all)(text => expect(findLostRows(text)).toEqual([])))

test('rows after an empty line are found', () => {
  expect(findLostRows('|a|\n|-|\n|b|\n\n|c|\n|d|\n\n|e|\n|:-|\n|f|\n')).toEqual(['|c|'])
})

test('READMEs of packages do not link to files, because npm shows them without the repository', () => {
  const relative = allPages().filter(
    ({ page, text }) => /^packages\/[^/]+\/README\.md$/.test(page) && /\]\((?!https?:)/.test(withoutCode(text)),
  )
  expect(relative.map(({ page }) => page)).toEqual([])
})

test('dead links are found', () => {
  const text =
    '[a](nowhere.md) [b](options.md#no-such-heading) [c](#neither) [d](options.md#createbus) [e](../../README.md)'
  expect(findDeadLinks('docs/reference/limits.md', text)).toEqual([
    'nowhere.md',
    'options.md#no-such-heading',
    '#neither',
  ])
})

test('a dead link ends the build', () => {
  expect(() => resolveLink('docs/reference/options.md', 'no-such-page.md')).toThrow(
    'docs/reference/options.md: dead link no-such-page.md',
  )
  expect(resolveLink('docs/reference/options.md', '../../README.md')).toBe('/')
  const [page, base] = ['docs/reference/options.md', 'https://example.org/sallyport']
  expect(resolveLink(page, '../../examples/hello', base)).toBe(`${base}/tree/main/examples/hello`)
  expect(resolveLink(page, '../../package.json', base)).toBe(`${base}/blob/main/package.json`)
  expect(resolveLink(page, '../..', base)).toBe(base)
})
