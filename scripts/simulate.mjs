// The simulation by hand. A seed that breaks the model is printed with what happened before.
import { randomInt } from 'node:crypto'
import { readOptions } from './read-options.mjs'
import { runCoreTests } from './run-core-tests.mjs'

const usage = `Usage: npm run simulate -- [options]

  --seed N        the first seed (default: random)
  --seeds K       number of seeds (default: 10000, or 1 with --seed)
  --host          runs under the real host, whose supervisor restarts actors
  --holds         runs under the real host without harm: each seed with and without holds
  --lines L       lines of history that a failure prints (default: 60)
  --frontends N   prints instead how memory and work grow with up to N frontends`
const values = readOptions(usage, {
  seed: { type: 'string' },
  seeds: { type: 'string' },
  host: { type: 'boolean', default: false },
  holds: { type: 'boolean', default: false },
  lines: { type: 'string', default: '60' },
  frontends: { type: 'string' },
})
const seed = values.seed ?? String(randomInt(2 ** 31))
// With `--seed`, only that seed runs by default.
const seeds = values.seeds ?? (values.seed === undefined ? '10000' : '1')
console.log(values.frontends ? `seed ${seed}` : `${seeds} seeds from ${seed} on`)

runCoreTests(values.frontends ? 'test/long/scale' : 'test/simulation', {
  SALLYPORT_SIMULATE_SEED: seed,
  SALLYPORT_SIMULATE_SEEDS: seeds,
  SALLYPORT_SIMULATE_WORLD: values.holds ? 'holds' : values.host ? 'host' : 'own',
  SALLYPORT_SIMULATE_LINES: values.lines,
  ...(values.frontends && { SALLYPORT_SCALE_FRONTENDS: values.frontends }),
})
