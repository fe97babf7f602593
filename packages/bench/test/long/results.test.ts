import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const read = (path: string): string => readFileSync(new URL(`../../../../${path}`, import.meta.url), 'utf8')

/** The text that `npm run results` writes into both files, between these marks. */
const getHeadline = (path: string): string => /<!-- results -->([\s\S]*)<!-- \/results -->/.exec(read(path))?.[1] ?? ''

test('the README has the short table of the last full run, or none if no run has passed its noise check', () => {
  const [headline, shown] = [getHeadline('docs/internals/results.md'), getHeadline('README.md')]
  if (headline.includes('No full run has passed')) expect(shown).toContain('no figures')
  else expect(shown).toBe(headline)
})

test('the short table says where and when it was measured', () => {
  expect(getHeadline('docs/internals/results.md')).toMatch(
    /\|\d{4}-\d\d-\d\d, \d+ × .+, Node [\d.]+\||No full run has passed/,
  )
})
