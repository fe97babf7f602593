// `npm run fuzz -- --seed N --seconds S`: the fuzzer by hand. A finding tells its seed and the number of its case; with
// `--from` that number it comes at once.
import { spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seconds: { type: 'string', default: '60' },
    from: { type: 'string', default: '0' },
  },
})
const seed = values.seed ?? String(randomInt(2 ** 31))
console.log(`seed ${seed}, ${values.seconds} s, from case ${values.from}`)

const { status } = spawnSync(
  process.execPath,
  [
    fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url)),
    'run',
    '--typecheck.enabled=false',
    'test/fuzz',
  ],
  {
    cwd: new URL('../packages/core', import.meta.url),
    stdio: 'inherit',
    env: {
      ...process.env,
      SALLYPORT_FUZZ_SEED: seed,
      SALLYPORT_FUZZ_SECONDS: values.seconds,
      SALLYPORT_FUZZ_FROM: values.from,
    },
  },
)
process.exitCode = status ?? 1
