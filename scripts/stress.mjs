// node scripts/stress.mjs [--loops N] [--seed S]: runs `npm test` and `npm run test:long` once in random order beside N busy loops (8), as on a machine that is
// ten times slower, and each test of .ci/unstable.json fifty times. What fails here waits for time, or for another test.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { readLedger } from './judge-failures.mjs'
import { readOptions } from './read-options.mjs'

const usage = `Usage: node scripts/stress.mjs [options]

  --loops N   busy loops beside the tests (default: 8)
  --seed S    seed of the order (default: random)`
const RUNS_OF_UNSTABLE = 50

const { loops, seed } = readOptions(usage, {
  loops: { type: 'string', default: '8' },
  seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
})
const cwd = fileURLToPath(new URL('../', import.meta.url))
// Each ends with its input, at the latest when this program ends, however it does.
const code =
  'process.stdin.on("end", () => process.exit()).resume(); setInterval(() => { for (const end = Date.now() + 1000; Date.now() < end; ); })'
const busy = Array.from({ length: Number(loops) }, () => spawn(process.execPath, ['-e', code]))

const order = ['--sequence.shuffle.tests', `--sequence.seed=${seed}`]
console.log(`seed ${seed}, beside ${loops} busy loops`)
const { status } = spawnSync('node', ['scripts/count-tests.mjs', 'test', 'test:long', '--force', '--', ...order], {
  cwd,
  stdio: 'inherit',
})
// What passes alone is forgiven elsewhere, and is what is looked for here.
let failed = status === 0 && !existsSync(`${cwd}unstable.json`) ? 0 : 1
for (const { file, test } of readLedger()) {
  const [, directory, path] = /^((?:packages|extensions|examples|tests)\/[^/]+|site)\/(.*)$/.exec(file)
  for (let run = 1; run <= RUNS_OF_UNSTABLE; run++) {
    const options = ['--sequence.shuffle.tests', `--sequence.seed=${Number(seed) + run}`, '-t', test, path]
    const alone = spawnSync('npx', ['vitest', 'run', ...options], { cwd: cwd + directory, encoding: 'utf8' })
    if (alone.status === 0) continue
    failed++
    console.log(`failed: ${file} > ${test}, run ${run}, seed ${Number(seed) + run}\n${alone.stdout}`)
    break
  }
}
for (const each of busy) each.kill('SIGKILL')
process.exitCode = failed === 0 ? 0 : 1
