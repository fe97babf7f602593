import { expect, test } from 'vitest'
import { hostileScenario, noisySample, sampleReport, tooNoisy, withFailure } from '../../test/sample-report.js'
import { allScenarios } from '../scenarios/index.js'
import { toHtml } from './html.js'

const all = toHtml(noisySample([...allScenarios(), hostileScenario]))
const count = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0

test('needs no other file or URL, and has a policy that blocks everything else', () => {
  const withoutPolicy = all.replace(/<script(?: [^>]*)?>[\s\S]*?<\/script>/g, '')
  expect(withoutPolicy).not.toMatch(/(?:src|href)="(?!#|data:,)/)
  expect(withoutPolicy).not.toMatch(/url\(|@import/)
  expect(all).toContain(`default-src &#39;none&#39;`)
  expect(count(all, /&#39;sha256-/g)).toBe(1)
})

test('shows titles and errors as text when they hold markup', () => {
  expect(all).not.toContain('<img')
  expect(all).toContain('&lt;img src=x')
  const failed = toHtml(sampleReport(withFailure('start', 'worker', '</script><script>alert(1)</script>')))
  expect(failed).not.toContain('<script>alert')
})

test('has landmarks, headings in order, unique ids, a caption for each table and a label for each chart', () => {
  for (const landmark of ['<header>', '<nav aria-label=', '<main id="main"', '<footer>'])
    expect(count(all, RegExp(landmark, 'g'))).toBe(1)
  const levels = [...all.matchAll(/<h([1-6])/g)].map(([, level]) => Number(level))
  expect(levels[0]).toBe(1)
  for (const [at, level] of levels.entries()) expect(level - (levels[at - 1] ?? 0)).toBeLessThanOrEqual(1)
  const ids = [...all.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id)
  expect(new Set(ids).size).toBe(ids.length)
  expect(count(all, /<caption/g)).toBe(count(all, /<table/g))
  expect(count(all, /role="img"\s+aria-label="[^"]+"/g)).toBe(count(all, /role="img"/g))
  for (const [, target] of all.matchAll(/href="#([^"]+)"/g)) expect(ids).toContain(target)
})

test('calls nothing in a chart or table better or worse when the noise check failed', () => {
  const noisy = toHtml(tooNoisy(noisySample()))
  expect(noisy).toContain('class="verdict too-noisy"')
  expect(noisy).not.toMatch(/class="[^"]*\b(better|worse)"/)
  expect(all).toMatch(/class="row (better|worse)/)
})

test('draws a forest plot and a table for an unknown scenario', () => {
  const page = toHtml(noisySample([hostileScenario]))
  expect(page).toContain('ratio to &lt;b&gt;first&lt;/b&gt;')
  expect(page).toContain('data-figure="my-own/a-case/second/things"')
  expect(page.length).toBeLessThan(60_000)
})

test('has less than 20 kB of styles and scripts', () => {
  const fixed = all.match(/<(?:style|script)>[\s\S]*?<\/(?:style|script)>/g)!.join('')
  expect(fixed.length).toBeLessThan(20_000)
})
