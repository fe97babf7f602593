// `npm run simulate -- --seed N --seeds K`: the simulation by hand. A seed that breaks the model is told with what happened
// before; `--lines` shows more of it. `--host`: under the real host, whose supervisor starts again what has died. `--frontends N`:
// how memory and work grow up to so many, in place of all that.
import { spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string' },
    host: { type: 'boolean', default: false },
    lines: { type: 'string', default: '60' },
    frontends: { type: 'string' },
  },
})
const seed = values.seed ?? String(randomInt(2 ** 31))
// Whoever names a seed wants that one.
const seeds = values.seeds ?? (values.seed === undefined ? '10000' : '1')
console.log(values.frontends ? `seed ${seed}` : `${seeds} seeds from ${seed} on`)

const { status } = spawnSync(
  process.execPath,
  [
    fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url)),
    'run',
    '--typecheck.enabled=false',
    values.frontends ? 'test/scale' : 'test/simulation',
  ],
  {
    cwd: new URL('../packages/core', import.meta.url),
    stdio: 'inherit',
    env: {
      ...process.env,
      SALLYPORT_SIMULATE_SEED: seed,
      SALLYPORT_SIMULATE_SEEDS: seeds,
      SALLYPORT_SIMULATE_WORLD: values.host ? 'host' : 'own',
      SALLYPORT_SIMULATE_LINES: values.lines,
      ...(values.frontends && { SALLYPORT_SCALE_FRONTENDS: values.frontends }),
    },
  },
)
process.exitCode = status ?? 1
