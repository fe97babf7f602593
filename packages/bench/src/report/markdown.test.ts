import { expect, test } from 'vitest'
import { sampleReport, withFailure } from '../../test/sample-report.js'
import { allScenarios } from '../scenarios/index.js'
import { toMarkdown } from './markdown.js'

test('says where and when the run took place', () => {
  const text = toMarkdown(sampleReport())
  expect(text).toContain('4 × Sample CPU 3.0 GHz · Node 20.20.2 · linux x64')
  expect(text).toContain('2026-01-02 03:04 UTC · quick, 42 s · load 0.25 → 1.5')
  expect(text).toContain('@sallyport/bench 1.2.3')
})

test('begins with the verdict and the answers, what to take first, and folds everything else', () => {
  const text = toMarkdown(sampleReport())
  expect(text.split('\n\n').slice(0, 2)).toEqual(['# Sallyport benchmark', '🟢 **6 scenarios measured.**'])
  expect(text.match(/^## .*/gm)).toEqual([
    '## What does a message cost, and which codec to take?',
    '## What does a plugin cost in each sandbox?',
    '## How fast is each format?',
    '## What do sealing and opening take alone?',
    '## What does the first call of a program cost?',
    '## What do rings gain, and when do they lose?',
  ])
  expect([...text.matchAll(/<details><summary>(.*)<\/summary>\n\n/g)].map(([, title]) => title)).toEqual([
    'Few calls',
    'Formats, the hook and encryption',
    'The speed of each format',
    'A call, by the shape of the traffic',
    'Sandboxes',
  ])
  expect(text).toContain('| isolation without encryption | 2.00 µs (4.00×')
})

test('explains × below each table that has one, and nowhere else', () => {
  for (const part of toMarkdown(sampleReport()).split(/^(?=## |<details>)/m)) {
    const rows = part.split('\n').filter(line => line.startsWith('|'))
    expect(part.includes('× is the ratio to'), part).toBe(rows.some(row => row.includes('×')))
  }
})

test('draws as many cells in every row as in the head of its table', () => {
  const tables = toMarkdown(sampleReport(undefined, allScenarios()))
    .split('\n\n')
    .filter(part => part.startsWith('|'))
  for (const table of tables) {
    const widths = new Set(table.split('\n').map(line => line.replaceAll('\\|', '').split('|').length))
    expect(widths.size).toBe(1)
  }
})

test('draws an error as one line of a list', () => {
  const text = toMarkdown(sampleReport(withFailure('shapes', 'ring-json', 'first\nsecond')))
  expect(text).toContain('- shapes/*/ring-json: first second\n')
})

test('shows third-party text as it is when it holds markup', () => {
  const report = sampleReport(withFailure('shapes', 'ring-json', '![x](https://example.org/x.png)'))
  const [scenario] = report.scenarios
  scenario!.arms[0]!.title = 'a\n| b'
  scenario!.about = '<script>'
  const text = toMarkdown(report)
  expect(text).toContain(String.raw`!\[x](https://example.org/x.png)`)
  expect(text).toContain(String.raw`a \| b`)
  expect(text).toContain('&lt;script>')
  expect(text).not.toContain('<script>')
})
