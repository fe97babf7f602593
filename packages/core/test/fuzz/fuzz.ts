// The fuzzer: runs the cases of a seed until time is up or a case breaks something.
import { createCase, describeCase, type Case } from './cases.js'
import { createFuzzed } from './core-target.js'
import { Random } from './random.js'
import { runCase, type Targets } from './run-case.js'
import { createWatch } from './watch.js'

/** Cases between two checks of the memory. */
const LOOK_EVERY = 250

export interface Finding {
  readonly seed: number
  readonly number: number
  readonly broke: string
  /** The case as a line for the corpus, with frames as hex. */
  readonly text: string
}

export interface FuzzResult {
  readonly cases: number
  readonly finding: Finding | undefined
}

export interface FuzzOptions {
  seed: number
  seconds: number
  /** Number of the first case. */
  from?: number
}

export async function fuzz({ seed, seconds, from = 0 }: FuzzOptions): Promise<FuzzResult> {
  const until = performance.now() + seconds * 1000
  return within(async judge => {
    let number = from
    for (; performance.now() < until; number++) {
      const random = new Random(seed, number)
      const fuzzCase = createCase(random)
      const broke = await judge(
        fuzzCase,
        random,
        `seed ${seed}, case ${number}: `,
        number % LOOK_EVERY === LOOK_EVERY - 1,
      )
      if (broke) return { cases: number - from, finding: { seed, number, broke, text: describeCase(fuzzCase) } }
    }
    return { cases: number - from, finding: undefined }
  })
}

/** Runs one case of the corpus. */
export const replay = (fuzzCase: Case): Promise<string | undefined> =>
  within(judge => judge(fuzzCase, new Random(1), '', true))

type Judge = (fuzzCase: Case, random: Random, what: string, looks: boolean) => Promise<string | undefined>

async function within<T>(run: (judge: Judge) => Promise<T>): Promise<T> {
  const targets: Targets = { open: await createFuzzed('brownfield'), sealed: await createFuzzed('isolation') }
  const watch = createWatch()
  try {
    return await run(async (fuzzCase, random, what, looks) => {
      watch.begin(what + describeCase(fuzzCase))
      return (await runCase(fuzzCase, targets, random)) ?? watch.broken() ?? (looks ? watch.grown() : undefined)
    })
  } finally {
    await watch.stop()
    await Promise.all([targets.open.close(), targets.sealed.close()])
  }
}
