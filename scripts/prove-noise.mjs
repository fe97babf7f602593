// node scripts/prove-noise.mjs --runs 10 -- <options of sallyport-bench>: does the noise check of `npm run bench` pass on a quiet
// machine, and fail on a busy one? Repeats the run quietly, then as often next to two processes that each occupy a core.
import { spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '10' },
    /** Processes that occupy a core each in a busy run. */
    busy: { type: 'string', default: '2' },
    /** `quiet` or `busy` repeats only these. */
    only: { type: 'string' },
    out: { type: 'string', default: 'bench-report/noise' },
  },
})
const cli = fileURLToPath(new URL('../packages/bench/dist/cli.js', import.meta.url))

function measure(kind, run) {
  const out = join(resolve(values.out), `${kind}-${run}`)
  const start = performance.now()
  const { status } = spawnSync(process.execPath, [cli, '--out', out, ...positionals], { stdio: 'ignore' })
  if (status !== 0 && status !== 3) throw new Error(`The benchmark exited with ${status}; see ${out}`)
  const { noise, scenarios } = JSON.parse(readFileSync(join(out, 'report.json'), 'utf8'))
  const row = {
    kind,
    outcome: noise.outcome,
    othersCpu: noise.othersCpu,
    moved: noise.moved.map(({ figure, factor }) => `${figure} ${factor}`),
    checks: noise.checks.map(({ ratio, interval }) => `${ratio} (${interval.join('-')})`),
    notStationary: Object.fromEntries(scenarios.map(({ id, notStationary }) => [id, notStationary])),
    seconds: Math.round((performance.now() - start) / 1000),
  }
  console.log(JSON.stringify(row))
  return row
}

function repeat(kind) {
  if (values.only && values.only !== kind) return []
  const others = kind === 'busy' ? Number(values.busy) : 0
  const busy = Array.from({ length: others }, () => spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }))
  try {
    return Array.from({ length: Number(values.runs) }, (_, run) => measure(kind, run + 1))
  } finally {
    for (const child of busy) child.kill('SIGKILL')
  }
}

const count = (rows, outcome) => `${rows.filter(row => row.outcome === outcome).length} of ${rows.length}`
const [quiet, busy] = ['quiet', 'busy'].map(repeat)
console.log(`Quiet: ${count(quiet, 'steady')} passed. Busy: ${count(busy, 'too noisy')} failed.`)
const isProved = (rows, outcome) => rows.filter(row => row.outcome === outcome).length >= rows.length * 0.9
process.exitCode = isProved(quiet, 'steady') && isProved(busy, 'too noisy') ? 0 : 1
