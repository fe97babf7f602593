// Each case that the fuzzer has found before, in `npm test`. A short run with a fixed seed in `npm run test:long`, and with that of `npm run fuzz`.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseCase } from './cases.js'
import { fuzz, replay } from './fuzz.js'
import { rows } from '../../../../scripts/testing.js'

const { SALLYPORT_FUZZ_SEED, SALLYPORT_FUZZ_SECONDS, SALLYPORT_FUZZ_FROM, SALLYPORT_TEST_TIER } = process.env
const isLong = SALLYPORT_TEST_TIER === 'long'
const seed = Number(SALLYPORT_FUZZ_SEED ?? 5)
const seconds = Number(SALLYPORT_FUZZ_SECONDS ?? 10)

test.runIf(isLong || SALLYPORT_FUZZ_SEED !== undefined)(
  `random and mutated frames break neither core, the gate nor the client: ${seconds} s by seed ${seed}`,
  { timeout: seconds * 1000 + 60_000 },
  async () => {
    const { cases, finding } = await fuzz({ seed, seconds, from: Number(SALLYPORT_FUZZ_FROM ?? 0) })
    if (SALLYPORT_FUZZ_SEED) console.log(`seed ${seed}: ${cases} cases in ${seconds} s`)
    expect(finding).toBeUndefined()
    expect(cases).toBeGreaterThan(10)
  },
)

interface Found {
  broke: string
  case: object
}

const corpus = JSON.parse(readFileSync(new URL('corpus.json', import.meta.url), 'utf8')) as Found[]

test.runIf(SALLYPORT_FUZZ_SEED === undefined && !isLong)('fixed cases of the corpus break nothing any more', () =>
  rows(corpus.map(({ broke, case: fuzzCase }): [string, object] => [broke, fuzzCase]))(async (_broke, fuzzCase) => {
    expect(await replay(parseCase(JSON.stringify(fuzzCase)))).toBeUndefined()
  }),
)
