// The fuzzers by hand. A finding is printed with its seed, and the number of its case or the function and its arguments.
import { randomInt } from 'node:crypto'
import { readOptions } from './read-options.mjs'
import { runCoreTests } from './run-core-tests.mjs'

const usage = `Usage: npm run fuzz -- [options]

  --seed N      seed of the frames (default: random)
  --seconds S   duration (default: 60)
  --from K      number of the first case, to repeat a finding immediately (default: 0)
  --node        calls Node's functions in a sandboxed frontend, instead of sending frames
  --only NAME   with --node: calls only this function, to repeat a finding`
const values = readOptions(usage, {
  seed: { type: 'string' },
  seconds: { type: 'string', default: '60' },
  from: { type: 'string', default: '0' },
  node: { type: 'boolean', default: false },
  only: { type: 'string' },
})
const seed = values.seed ?? String(randomInt(2 ** 31))
console.log(`seed ${seed}, ${values.seconds} s${values.node ? '' : `, from case ${values.from}`}`)

runCoreTests(values.node ? 'test/matrix/hostile/node-calls.test.ts' : 'test/fuzz', {
  ...(values.only && { SALLYPORT_FUZZ_ONLY: values.only }),
  SALLYPORT_FUZZ_SEED: seed,
  SALLYPORT_FUZZ_SECONDS: values.seconds,
  SALLYPORT_FUZZ_FROM: values.from,
})
