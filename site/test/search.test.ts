// What people search for is found, in their words.
import MiniSearch from 'minisearch'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { rows } from '../../scripts/testing.js'
import { miniSearch } from '../.vitepress/search.js'
import { root } from '../blocks/markdown.js'

const index = new MiniSearch<{ id: string; title: string; text: string }>({
  ...miniSearch.options,
  ...{ fields: ['title', 'text'], searchOptions: miniSearch.searchOptions },
})
for (const directory of ['guide', 'reference']) {
  for (const file of readdirSync(join(root, 'docs', directory)).filter(each => each.endsWith('.md'))) {
    const page = `/${directory}/${file.slice(0, -3)}`
    const sections = readFileSync(join(root, 'docs', directory, file), 'utf8').split(/^#+ (?=\S)/m)
    for (const [at, section] of sections.entries()) {
      const [title = '', ...lines] = section.split('\n')
      index.add({ id: `${page}#${at}`, title, text: lines.join('\n') })
    }
  }
}

test('the page about each word is among the first five', () =>
  rows([
    ['logging', 'observability'],
    ['debugging', 'development'],
    ['sandboxing', 'choose-a-sandbox'],
    ['deployment', 'deploying'],
    ['quickstart', 'quick-start'],
    ['getting started', 'quick-start'],
    ['tutorial', 'quick-start'],
    ['oom', 'choose-a-sandbox'],
    ['faq', 'troubleshooting'],
    ['prometheus', 'observability'],
    ['claude', 'mcp'],
    ['singleton', 'frontend|concepts|commands|troubleshooting|quick-start'],
    ['denied', 'error-codes|permissions|troubleshooting'],
  ])((words, page) => {
    const found = index
      .search(words)
      .slice(0, 5)
      .map(({ id }) => String(id))
    expect(found.join(' ')).toMatch(new RegExp(`/(?:${page})`))
  }))
