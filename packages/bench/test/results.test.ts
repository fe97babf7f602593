import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const read = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')

/** What `npm run results` writes into both, between these marks. */
const headlineOf = (path: string): string => /<!-- results -->([^]*)<!-- \/results -->/.exec(read(path))?.[1] ?? ''

test('the README has the headline figures of the last full run, or none if that run failed its noise check', () => {
  const headline = headlineOf('docs/results.md')
  const shown = headlineOf('README.md')
  if (/too noisy|noise check/i.test(headline)) expect(shown).toContain('no figures')
  else expect(shown).toBe(headline)
  expect(headline.match(/\*\*Sallyport\*\*.*× \|/g)?.length).toBeGreaterThan(2)
})

test('the results say where and when they were measured', () => {
  expect(headlineOf('docs/results.md')).toMatch(/\| \d{4}-\d\d-\d\d, \d+ × .+, Node \d+\.\d+\.\d+ \|/)
})
