import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const read = (path: string): string => readFileSync(new URL(`../../../../${path}`, import.meta.url), 'utf8')

/** The text that `npm run results` writes into both files, between these marks. */
const getHeadline = (path: string): string => /<!-- results -->([\s\S]*)<!-- \/results -->/.exec(read(path))?.[1] ?? ''

test('the README has only figures of the results, one a cell, with their date and machine', () => {
  const results = read('docs/internals/results.md')
  const [head = [], , ...rows] = getHeadline('README.md')
    .split('\n')
    .filter(line => line.startsWith('|'))
    .map(line => line.split('|').slice(1, -1))
  expect(getHeadline('docs/internals/results.md')).toContain(`|${head[0]}|`)
  const figures = rows.flatMap(cells => cells.slice(1)).filter(cell => cell !== '–')
  expect(rows.length).toBeLessThanOrEqual(6)
  expect(figures.length).toBeGreaterThan(20)
  for (const figure of figures) {
    expect(figure).toMatch(/^[\d.]+(–[\d.]+)? (µs|m?s|[kM]\/s|[KM]iB)$/)
    expect(results).toContain(`|${figure}`)
  }
})

test('the short table says where and when it was measured', () => {
  expect(getHeadline('docs/internals/results.md')).toMatch(
    /\|\d{4}-\d\d-\d\d, \d+ × .+, Node [\d.]+\||No full run has passed/,
  )
})
