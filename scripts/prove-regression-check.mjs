// node scripts/prove-regression-check.mjs --same 20 --slower 5 --by 10 -- <options of compare>: how often does `sallyport-bench compare`
// report a regression between two checkouts of this commit, and how often does it find one after one of them got a slower dispatcher?
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    same: { type: 'string', default: '20' },
    slower: { type: 'string', default: '5' },
    /** Per cent of the time that a call and its answer take, one at a time over rings. */
    by: { type: 'string', default: '10' },
    out: { type: 'string', default: 'bench-compare/proof' },
  },
})

const root = fileURLToPath(new URL('../', import.meta.url))
const temporary = mkdtempSync(join(tmpdir(), 'sallyport-prove-'))
const [base, head] = ['base', 'head'].map(name => join(temporary, name))
const out = resolve(values.out)

const git = (...args) => execFileSync('git', args, { cwd: root, stdio: 'inherit' })
const build = cwd => execFileSync('npm', ['run', 'build'], { cwd, stdio: ['ignore', 'ignore', 'inherit'] })
const cli = join(head, 'packages/bench/dist/cli.js')
const readJson = path => JSON.parse(readFileSync(path, 'utf8'))

/** The part of a call that the dispatcher runs in. A loop goes before it. */
const PLACE = '      const result = command.run(params, call)\n'
const loopOf = turns => `      let turned = 1
      for (let turn = 0; turn < ${turns}; turn++) turned = (Math.imul(turned, 1664525) + turn) | 0
      if (turned === 0.5) throw new Error('never')
`

function slowDown(turns) {
  const path = join(head, 'packages/core/src/rpc/session.ts')
  const text = readFileSync(path, 'utf8')
  if (!text.includes(PLACE)) throw new Error('The dispatcher has changed: adapt PLACE in this script')
  writeFileSync(path, text.replace(PLACE, loopOf(turns) + PLACE))
  build(head)
}

/** Nanoseconds of one turn of that loop, compiled, on this machine. */
function timeOfTurn() {
  const program = `
    const loop = turns => { let turned = 1; for (let turn = 0; turn < turns; turn++) turned = (Math.imul(turned, 1664525) + turn) | 0; return turned }
    let kept = 0
    for (let warm = 0; warm < 1e5; warm++) kept += loop(1000)
    const times = []
    for (let take = 0; take < 200; take++) {
      const before = process.hrtime.bigint()
      for (let many = 0; many < 1000; many++) kept += loop(1000)
      times.push(Number(process.hrtime.bigint() - before) / 1e6)
    }
    console.log(Math.min(...times) + (kept === 0.5 ? 1 : 0))`
  return Number(execFileSync(process.execPath, ['-e', program], { encoding: 'utf8' }))
}

/** Nanoseconds of CPU time that a call and its answer take in one thread, JSON: the bus's own code, and the port. */
function timeOfCall() {
  const args = ['--filter', 'one-thread/64/json', '--processes', '6', '--out', join(out, 'call')]
  spawnSync(process.execPath, [cli, ...args], { stdio: ['ignore', 'ignore', 'inherit'] })
  const { scenarios } = readJson(join(out, 'call', 'report.json'))
  const [inCase] = scenarios.find(({ id }) => id === 'one-thread').cases
  const { figures } = inCase.results.find(({ arm }) => arm === 'json')
  const rounds = figures.find(({ id }) => id === 'cpu').processes.flat()
  // Compiled: the first rounds take twice as long.
  return 1000 * rounds.toSorted((one, other) => one - other)[Math.floor(rounds.length / 4)]
}

const percent = factor => `${((factor - 1) * 100).toFixed(1)} %`

function compareOnce(name) {
  const folder = join(out, name)
  const start = performance.now()
  const { status } = spawnSync(process.execPath, [cli, 'compare', '--base', base, '--out', folder, ...positionals], {
    cwd: head,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const { verdict, first, repeat, rule } = readJson(join(folder, 'compare.json'))
  const judged = first.filter(({ slower }) => slower)
  const from = judged.map(({ slower }) => (rule.tolerance * slower.factor) / slower.bounds[0]).toSorted((a, b) => a - b)
  const slowest = judged.toSorted((one, other) => other.slower.factor - one.slower.factor)[0]
  const row = {
    run: name,
    exit: status,
    verdict,
    figures: judged.length,
    suspects: first.filter(({ outcome }) => outcome === 'slower').length,
    confirmed: repeat.filter(({ outcome }) => outcome === 'slower').length,
    unsteady: [...first, ...repeat].filter(({ outcome }) => outcome === 'unsteady').length,
    'seen from (half)': percent(from[Math.floor(from.length / 2)]),
    'seen from (all)': percent(from.at(-1)),
    slowest: `${slowest.figure} ${percent(slowest.slower.factor)}`,
    seconds: Math.round((performance.now() - start) / 1000),
  }
  console.log(JSON.stringify(row))
  return row
}

const times = (count, name) => Array.from({ length: Number(count) }, (_, at) => compareOnce(`${name}-${at + 1}`))

try {
  mkdirSync(out, { recursive: true })
  for (const folder of [base, head]) {
    git('worktree', 'add', '--quiet', '--detach', folder, 'HEAD')
    build(folder)
  }
  const same = times(values.same, 'same')
  const [call, turn] = [timeOfCall(), timeOfTurn()]
  const turns = Math.round((call * Number(values.by)) / 100 / turn)
  console.log(
    `A call takes ${call.toFixed(0)} ns, a turn ${turn.toFixed(2)} ns: ${turns} turns are ${values.by} % of it`,
  )
  slowDown(turns)
  const slower = times(values.slower, 'slower')
  const red = rows => rows.filter(({ exit }) => exit === 1).length
  console.log(`The same: ${red(same)} of ${same.length} red. Slower: ${red(slower)} of ${slower.length} red.`)
  writeFileSync(
    join(out, 'proof.json'),
    `${JSON.stringify({ by: values.by, call, turn, turns, same, slower }, null, 2)}\n`,
  )
  process.exitCode = red(same) === 0 && red(slower) === slower.length ? 0 : 1
} finally {
  for (const folder of [base, head]) spawnSync('git', ['worktree', 'remove', '--force', folder], { cwd: root })
  rmSync(temporary, { recursive: true, force: true })
}
