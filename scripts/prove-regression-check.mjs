// node scripts/prove-regression-check.mjs --same 10 --slower 5 --by 10 -- <options of the command>: how often does `sallyport-compare` report a
// regression between two copies of a public package by that package's own benchmark, and how often does it find one after a function of one copy
// got slower so that the benchmark takes so many per cent more CPU time?
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    same: { type: 'string', default: '10' },
    slower: { type: 'string', default: '5' },
    by: { type: 'string', default: '10' },
    cli: { type: 'string', default: fileURLToPath(new URL('../extensions/compare/dist/cli.js', import.meta.url)) },
    out: { type: 'string', default: 'bench-compare/proof' },
  },
})

/** Its benchmark calls two functions of Node.js and two of the package, and prints the time of each. */
const PACKAGES = ['quick-format-unescaped@4.0.4', 'fastbench@1.0.1']
const NAME = 'quick-format-unescaped'
const PROGRAM = ['node', 'benchmark.js']
/** How often it calls each function, and how often here: a run takes 0.3 s instead of a second. */
const [ITERATIONS, FEWER] = ['100000', '20000']
/** The first line of the measured function. A loop goes before it. */
const PLACE = '  var ss = (opts && opts.stringify)'

const temporary = mkdtempSync(join(tmpdir(), 'sallyport-prove-'))
const out = resolve(values.out)

function install(name) {
  const directory = join(temporary, name)
  mkdirSync(directory)
  writeFileSync(join(directory, 'package.json'), '{ "private": true }')
  execFileSync('npm', ['install', '--silent', '--ignore-scripts', ...PACKAGES], { cwd: directory, stdio: 'inherit' })
  const found = join(directory, 'node_modules', NAME)
  replaceOnce(join(found, 'benchmark.js'), ITERATIONS, FEWER)
  return found
}

function replaceOnce(path, before, after) {
  const text = readFileSync(path, 'utf8')
  if (text.split(before).length !== 2) throw new Error(`The package has changed: adapt '${before}' in this script`)
  writeFileSync(path, text.replace(before, after))
}

const loopOf = turns => `  var turned = 1
  for (var turn = 0; turn < ${turns}; turn++) turned = (Math.imul(turned, 1664525) + turn) | 0
  if (turned === 0.5) throw new Error('never')
`

/** Milliseconds of CPU time of a run of the benchmark: the least of some. */
function timeOfRun(directory) {
  const file = join(temporary, 'cpu-time')
  const load = pathToFileURL(resolve(values.cli, '../program/usage.js')).href
  const times = Array.from({ length: 5 }, () => {
    rmSync(file, { force: true })
    const env = { ...process.env, SALLYPORT_COMPARE_USAGE_FILE: file }
    execFileSync(PROGRAM[0], ['--import', load, PROGRAM[1]], { cwd: directory, env, stdio: 'ignore' })
    return Number(readFileSync(file, 'utf8').split(' ')[0]) / 1000
  })
  return Math.min(...times)
}

const slowDown = (directory, turns) => replaceOnce(join(directory, 'index.js'), PLACE, loopOf(turns) + PLACE)

const percent = factor => `${((factor - 1) * 100).toFixed(1)} %`

function compareOnce(name, base, head) {
  const directory = join(out, name)
  const start = performance.now()
  const args = ['--base', base, '--out', directory, ...positionals, '--', ...PROGRAM]
  const { status } = spawnSync(process.execPath, [values.cli, ...args], {
    cwd: head,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const { verdict, first, repeat } = JSON.parse(readFileSync(join(directory, 'compare.json'), 'utf8'))
  const figures = first.map(({ figure, slower }) => `${figure} ${slower ? percent(slower.factor) : '–'}`)
  const confirmed = repeat.filter(({ outcome }) => outcome === 'slower').map(({ figure }) => figure)
  const row = {
    run: name,
    exit: status,
    verdict,
    figures,
    confirmed,
    seconds: Math.round((performance.now() - start) / 1000),
  }
  console.log(JSON.stringify(row))
  return row
}

try {
  mkdirSync(out, { recursive: true })
  const [base, head] = ['base', 'head'].map(install)
  const repeat = (count, name) =>
    Array.from({ length: Number(count) }, (_, at) => compareOnce(`${name}-${at + 1}`, base, head))
  const same = repeat(values.same, 'same')
  const before = timeOfRun(head)
  // A first loop says what a turn takes.
  const original = readFileSync(join(head, 'index.js'), 'utf8')
  slowDown(head, 1000)
  const turn = (timeOfRun(head) - before) / 1000
  writeFileSync(join(head, 'index.js'), original)
  const turns = Math.round((before * Number(values.by)) / 100 / turn)
  slowDown(head, turns)
  console.log(
    `A run takes ${before.toFixed(0)} ms of CPU time, and ${timeOfRun(head).toFixed(0)} ms with ${turns} turns in each call`,
  )
  const slower = repeat(values.slower, 'slower')
  const red = rows => rows.filter(({ exit }) => exit === 1).length
  console.log(`The same: ${red(same)} of ${same.length} red. Slower: ${red(slower)} of ${slower.length} red.`)
  writeFileSync(
    join(out, 'proof.json'),
    `${JSON.stringify({ by: values.by, before, turn, turns, same, slower }, null, 2)}\n`,
  )
  process.exitCode = red(same) === 0 && red(slower) === slower.length ? 0 : 1
} finally {
  rmSync(temporary, { recursive: true, force: true })
}
