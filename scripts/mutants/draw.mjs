// Draws mutants of the files that decide, runs the tests that reach each, and prints the survivors and the score of each group.
import { appendFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readOptions } from '../read-options.mjs'
import { GROUPS } from './groups.mjs'
import { Mutants } from './judge.mjs'

const root = fileURLToPath(new URL('../../', import.meta.url))
const usage = `Usage: npm run mutate [-- [--none] name …]
       npm run mutate -- [--random N] [--seed N] [--file F …] [--seconds S]

  name          breaks the product at the places of scripts/mutate.mjs whose names have this (default: at each)
  --none        breaks nothing: the tests of these places must pass
  --random N    draws N mutants of the files that decide, as many from each group
  --seed N      draws the same ones again
  --file F      only of files whose path has this
  --seconds S   bounds the tests of each mutant: those that reach least and are quickest run first (default: 60)`
const options = readOptions(usage, {
  random: { type: 'string' },
  seed: { type: 'string', default: String(Math.floor(Math.random() * 1e6)) },
  file: { type: 'string', multiple: true },
  seconds: { type: 'string', default: '60' },
})
const seed = Number(options.seed)

/** Mulberry32. */
function createRandom(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** As many of each group, in a random order. */
function draw(mutants, count) {
  const next = createRandom(seed)
  const shuffled = mutants
    .map(mutant => ({ mutant, order: next() }))
    .toSorted((a, b) => a.order - b.order)
    .map(({ mutant }) => mutant)
  const groups = Object.keys(GROUPS).map(group => shuffled.filter(mutant => mutant.group === group))
  return shuffled.flatMap((_, index) => groups.flatMap(group => group[index] ?? [])).slice(0, count)
}

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130))

const mutants = new Mutants(join(tmpdir(), 'sallyport-mutants'))
const all = (await mutants.prepare(root, console.log)).filter(({ ignored }) => ignored === undefined)
const wanted = all.filter(({ file }) => !options.file || options.file.some(part => file.includes(part)))
const drawn = options.random === undefined ? wanted : draw(wanted, Number(options.random))
if (drawn.length === 0) throw new Error('No mutant matches. Check --random and --file.')
console.log(`${drawn.length} of ${all.length} mutants, seed ${seed}`)

const shorten = text => text.replaceAll(/\s+/g, ' ').slice(0, 100)
const results = []
for (const mutant of drawn) {
  const result = await mutants.judge(mutant, Number(options.seconds))
  results.push({ ...mutant, ...result })
  const { file, line, column, from, to } = mutant
  const { by, tried, files } = result
  const how = by ? ` by ${by}` : tried < files ? `, ${tried} of ${files} files of tests tried` : ''
  console.log(`${result.outcome}: ${file}:${line}:${column} \`${shorten(from)}\` → \`${shorten(to)}\`${how}`)
}

const rows = Object.keys(GROUPS).flatMap(group => {
  const own = results.filter(each => each.group === group)
  const count = outcome => own.filter(each => each.outcome === outcome).length
  const killed = count('killed')
  return own.length === 0
    ? []
    : [
        `| ${group} | ${own.length} | ${killed} | ${count('out of time')} | ${((100 * killed) / own.length).toFixed(0)} % |`,
      ]
})
// A test that hangs notices the mutant, but does not say what is wrong.
const table = ['| what decides | mutants | killed | out of time | score |', '|---|--:|--:|--:|--:|', ...rows].join('\n')
console.log(`\n${table}`)
if (process.env.GITHUB_STEP_SUMMARY) appendFileSync(process.env.GITHUB_STEP_SUMMARY, `${table}\n`)
