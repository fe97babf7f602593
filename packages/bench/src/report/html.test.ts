import { expect, test } from 'vitest'
import {
  getScenario,
  hostileScenario,
  noisySample,
  sampleReport,
  tooNoisy,
  withFailure,
} from '../../test/sample-report.js'
import { allScenarios } from '../scenarios/index.js'
import { toHtml } from './html.js'

const all = toHtml(noisySample([...allScenarios(), hostileScenario]))
const count = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0

test('needs no other file or URL, runs no script, and has a policy that blocks both', () => {
  expect(all).not.toMatch(/(?:src|href)="(?!#|data:,)/)
  expect(all).not.toMatch(/url\(|@import|<script/)
  expect(all).toContain(`content="default-src 'none'; style-src`)
})

test('shows titles and errors as text when they hold markup', () => {
  expect(all).not.toContain('<img')
  expect(all).toContain('&lt;img src=x')
  const failed = toHtml(sampleReport(withFailure('shapes', 'raw', '</script><script>alert(1)</script>')))
  expect(failed).not.toContain('<script>alert')
})

test('has landmarks, headings in order, unique ids, and a caption for each table', () => {
  for (const landmark of ['<header>', '<nav aria-label=', '<main id="main"', '<footer>'])
    expect(count(all, RegExp(landmark, 'g'))).toBe(1)
  const levels = [...all.matchAll(/<h([1-6])/g)].map(([, level]) => Number(level))
  expect(levels[0]).toBe(1)
  for (const [at, level] of levels.entries()) expect(level - (levels[at - 1] ?? 0)).toBeLessThanOrEqual(1)
  const ids = [...all.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id)
  expect(new Set(ids).size).toBe(ids.length)
  expect(count(all, /<caption/g)).toBe(count(all, /<table/g))
  for (const [, target] of all.matchAll(/href="#([^"]+)"/g)) expect(ids).toContain(target)
})

test('calls nothing better or worse when the noise check failed', () => {
  const noisy = toHtml(tooNoisy(noisySample(['formats', 'shapes'].map(getScenario))))
  expect(noisy).toContain('class="verdict too-noisy"')
  expect(noisy).not.toMatch(/class="[^"]*\b(better|worse)"/)
  expect(all).toMatch(/<td class="(better|worse)"/)
})

test('draws a table for an unknown scenario', () => {
  const page = toHtml(noisySample([hostileScenario]))
  expect(page).toContain('Reference: &lt;b&gt;first&lt;/b&gt;.')
  expect(page).toMatch(/<tr>\s*<th scope="row">a case<\/th>\s*<td class="">[\d.]+</)
})

test('has less than 10 kB of styles', () => {
  expect(/<style>[\s\S]*?<\/style>/.exec(all)![0].length).toBeLessThan(10_000)
})
