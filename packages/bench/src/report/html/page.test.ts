import { expect, test } from 'vitest'
import { hostileScenario, noisySample, sampleReport, tooNoisy, withFailure } from '../../../test/sample-report.js'
import { allScenarios } from '../../scenarios/index.js'
import { toHtml } from './page.js'

const all = toHtml(noisySample([...allScenarios(), hostileScenario]))
const count = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0

test('stands alone: one file, no address, and a policy that lets nothing in', () => {
  const withoutPolicy = all.replace(/<script(?: [^>]*)?>[\s\S]*?<\/script>/g, '')
  expect(withoutPolicy).not.toMatch(/(?:src|href)="(?!#|data:,)/)
  expect(withoutPolicy).not.toMatch(/url\(|@import/)
  expect(all).toContain(`default-src &#39;none&#39;`)
  expect(count(all, /'sha256-|&#39;sha256-/g)).toBe(3)
})

test('titles and errors are text, whatever they hold', () => {
  expect(all).not.toContain('<img')
  expect(all).toContain('&lt;img src=x')
  const failed = toHtml(sampleReport(withFailure('start', 'worker', '</script><script>alert(1)</script>')))
  expect(failed).not.toContain('<script>alert')
})

test('has landmarks, headings in order, ids of their own, a caption for each table and words for each chart', () => {
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

test('what is too noisy is neither better nor worse anywhere in a chart', () => {
  const noisy = toHtml(tooNoisy(noisySample()))
  expect(noisy).toContain('class="verdict too-noisy"')
  expect(noisy).not.toMatch(/class="row (better|worse)/)
  expect(all).toMatch(/class="row (better|worse)/)
})

test('a scenario that nobody here knows has a forest plot and tables; with no numbers in its cases it needs no library', () => {
  const own = toHtml(noisySample([hostileScenario]))
  expect(own).toContain('Forest plot')
  expect(own).toContain('data-figure="my-own/a-case/second/things"')
  expect(own).not.toContain('uPlot')
  expect(own.length).toBeLessThan(60_000)
})

test('stays small: the library and all of the page’s own are less than 100 kB', () => {
  expect(all.length - toHtml(noisySample([hostileScenario])).length).toBeGreaterThan(0)
  const fixed = all.match(/<(?:style|script)>[\s\S]*?<\/(?:style|script)>/g)!.join('')
  expect(fixed.length).toBeLessThan(100_000)
})
