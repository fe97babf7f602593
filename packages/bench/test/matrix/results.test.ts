import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../../../', import.meta.url))
const read = (path: string): string => readFileSync(root + path, 'utf8')

const FIGURE = /\d[\d.]* (?:[µm]s|[KM]iB)\b|\d[\d.]*×/g

/** The paragraphs of a page that refer to the results, and those that `npm run results` writes. */
function getParagraphs(path: string): string[] {
  const [, written = ''] = /<!-- (?:results|cost) -->([\s\S]*?)<!-- \//.exec(read(path)) ?? []
  return [
    written,
    ...read(path)
      .split('\n\n')
      .filter(text => text.includes('results.md')),
  ]
}

test('README and docs have only figures of the results, next to a link to them', () => {
  const results = read('docs/internals/results.md')
  const pages = ['docs/guide', 'docs/reference'].flatMap(directory =>
    readdirSync(root + directory).flatMap(name => (name.endsWith('.md') ? `${directory}/${name}` : [])),
  )
  const figures = ['README.md', 'site/index.md', ...pages].flatMap(path =>
    getParagraphs(path).flatMap(text => text.match(FIGURE) ?? []),
  )
  expect(figures.length).toBeGreaterThan(20)
  expect(figures.filter(figure => !results.includes(figure))).toEqual([])
})
