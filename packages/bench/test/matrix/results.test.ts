import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const read = (path: string): string => readFileSync(new URL(`../../../../${path}`, import.meta.url), 'utf8')

/** The text that `npm run results` writes into both files, between these marks. */
const getHeadline = (path: string): string => /<!-- results -->([\s\S]*)<!-- \/results -->/.exec(read(path))?.[1] ?? ''

test('the README has only figures of the results, with their date and machine', () => {
  const headline = getHeadline('README.md')
  expect(headline).toBe(getHeadline('docs/internals/results.md'))
  expect(headline).toMatch(/\n\d{4}-\d\d-\d\d, \d+ × .+, Node [\d.]+/)
  const [, tables = ''] = read('docs/internals/results.md').split('\n## A plugin\n')
  const rows = [...headline.matchAll(/^\|[a-zW ]+\|(\d[^|]*)\|([^|]*)\|([^|]*)\|$/gm)].map(([, ...figures]) => figures)
  expect(rows.length).toBeGreaterThan(5)
  for (const figure of rows.flat()) expect(tables).toMatch(RegExp(`\\|${figure}[ |]`))
})
