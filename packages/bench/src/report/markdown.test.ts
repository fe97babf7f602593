import { expect, test } from 'vitest'
import { noisySample, sampleReport, tooNoisy, withFailure } from '../../test/sample-report.js'
import { allScenarios } from '../scenarios/index.js'
import { toComment, toMarkdown } from './markdown.js'

test('says where and when the run took place', () => {
  const text = toMarkdown(sampleReport())
  expect(text).toContain('4 × Sample CPU 3.0 GHz · Node 20.20.2 · linux x64')
  expect(text).toContain('2026-01-02 03:04 UTC · quick, 42 s · load 0.25 → 1.5')
  expect(text).toContain('@sallyport/bench 1.2.3')
})

test('begins with the answer, the verdict and the digest, and folds everything else', () => {
  const text = toMarkdown(sampleReport())
  expect(text.split('\n\n').slice(0, 3)).toEqual([
    '# Sallyport benchmark',
    expect.stringMatching(
      /^A call: 25\.0 µs over a ring, 55\.0 µs over a port, 105 µs isolated \(raw MessagePort: 45\.0 µs\)\. /,
    ),
    '🟢 **8 scenarios measured.**',
  ])
  expect(text.match(/^## .*/gm)).toEqual(['## In short'])
  expect([...text.matchAll(/<details><summary>(.*)<\/summary>\n\n/g)].map(([, title]) => title)).toEqual([
    'Cost of isolation',
    'Few calls',
    'A call, by the shape of the traffic',
    'Cost of isolation for a call',
    'Documents there and back',
    'Events',
    'Messages of a channel, core → frontend',
    'Start',
    'Codecs alone',
  ])
  expect(text).toContain('| ring JSON | 25.0 µs (0.55× · 0.50–0.60×) |')
  expect(text).toContain('| + hook | 10.0 µs | 0.156 µs |')
  expect(toMarkdown(tooNoisy(sampleReport()))).toContain('⚪ **Noise check failed')
})

test('the comment is short: the answer, the verdict, the digest and a link to the run; with goals, the missed ones', () => {
  const report = noisySample(allScenarios())
  const comment = toComment(report, { runUrl: 'https://example.org/run/1', goals: true })
  expect(comment).toMatch(/^A call: .*\n\n🟢 \*\*The machine was quiet/)
  expect(comment).not.toMatch(/^# /m)
  expect(comment.length).toBeLessThan(12_000)
  expect(comment).toContain('| steady, p50 |')
  expect(comment.match(/<details>/g)).toHaveLength(1)
  expect(toComment(report)).not.toContain('<details>')
  expect(comment).toContain('[the run](https://example.org/run/1)')
})

test('the comment keeps each figure, ratio and interval on a line of its own, and says which ratios are better or worse', () => {
  const [row] = toComment(noisySample()).match(/^\| steady, p50 .*/m)!
  expect(row).toMatch(
    /\| \d\d\.\d&nbsp;µs<br>\*\*[\d.]+×\*\*&nbsp;🟢<br><sub>[\d.]+&NoBreak;–&NoBreak;[\d.]+×<\/sub> \|/,
  )
  expect(row).toContain('×**&nbsp;🟠')
})

test('stays readable when an arm fails with a page of text, or with markup', () => {
  const text = toComment(sampleReport(withFailure('start', 'ring-json', `</details><img>${'x'.repeat(100_000)}`)))
  expect(text).toContain('&lt;/details>&lt;img>')
  expect(text.length).toBeLessThan(65_536)
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

test('draws goals as a table, each a row with its reference', () => {
  const text = toMarkdown(sampleReport(undefined, allScenarios()), true)
  expect(text).toContain('<summary>Goals: ')
  expect(text).toContain('| 64 in flight, ring | birpc | ')
})

test('draws an error as one line of a list', () => {
  const text = toMarkdown(sampleReport(withFailure('start', 'ring-json', 'first\nsecond')))
  expect(text).toContain('- start/*/ring-json: first second\n')
})

test('shows third-party text as it is when it holds markup', () => {
  const report = sampleReport(withFailure('start', 'ring-json', '![x](https://example.org/x.png)'))
  const [scenario] = report.scenarios
  scenario!.arms[0]!.title = 'a\nb'
  scenario!.about = '<script>'
  const text = toMarkdown(report)
  expect(text).toContain(String.raw`!\[x](https://example.org/x.png)`)
  expect(text).toContain('a b')
  expect(text).toContain('&lt;script>')
  expect(text).not.toContain('<script>')
})
