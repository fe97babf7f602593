// Calls everything that a frontend with `sandbox: 'permission'` reaches with generated arguments. `npm run fuzz -- --node` does it for longer.
import { expect, test } from 'vitest'
import { fuzzNodeCalls } from '../../long/hostile/node-calls/fuzz.js'

const { SALLYPORT_FUZZ_SEED: givenSeed, SALLYPORT_FUZZ_SECONDS: givenSeconds, SALLYPORT_FUZZ_ONLY: only } = process.env
const seed = Number(givenSeed ?? 5)
/** Without a duration, each function is called in one round, which takes less than a minute on a quiet machine. */
const seconds = Number(givenSeconds ?? Infinity)

test(
  `calls of Node's functions with generated arguments do not end the host: seed ${seed}`,
  { timeout: Math.min(seconds * 1000 + 240_000, 900_000) },
  async () => {
    const rounds = givenSeconds === undefined ? 1 : Infinity
    const { findings, names, missed, calls, ...others } = await fuzzNodeCalls({ seed, seconds, rounds, only })
    console.log(`seed ${seed}: ${calls} functions, 20 calls each; ${names.length - missed.length} of ${names.length}`)
    for (const what of ['ended', 'blocked', 'exhausted'] as const) {
      if (givenSeed !== undefined) console.log(`${what} the frontend: ${others[what].join(', ')}`)
    }
    expect(findings, `npm run fuzz -- --node --seed ${seed} --only '<name>' repeats a finding`).toEqual([])
    expect(names.length).toBeGreaterThan(2000)
    if (givenSeconds === undefined) expect(missed).toEqual([])
  },
)
