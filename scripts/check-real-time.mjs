// node scripts/check-real-time.mjs [--write]: tests wait for what happens, not for real time (the rule: no-real-time.mjs). The sites that were there before the
// rule stand in real-time-baseline.json, by file, which may only shrink: --write takes what is gone out of it.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const path = name => fileURLToPath(new URL(name, import.meta.url))
const root = path('../')
const baselineFile = path('real-time-baseline.json')
const baseline = JSON.parse(readFileSync(baselineFile, 'utf8'))

const directory = mkdtempSync(join(tmpdir(), 'sallyport-lint-'))
const config = join(directory, 'oxlintrc.json')
const rules = { 'sallyport/no-real-time': 'error' }
writeFileSync(
  config,
  JSON.stringify({ jsPlugins: [path('no-real-time.mjs')], categories: { correctness: 'off' }, rules }),
)
const files = spawnSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.test.ts'], {
  cwd: root,
  encoding: 'utf8',
})
const { stdout } = spawnSync(
  path('../node_modules/.bin/oxlint'),
  ['-c', config, '--format=json', ...files.stdout.trim().split('\n')],
  {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  },
)
rmSync(directory, { recursive: true })
const { diagnostics, number_of_files: checked } = JSON.parse(stdout)
if (!checked) throw new Error('oxlint checked no file')

const found = new Map()
for (const { filename, message, labels } of diagnostics)
  found.set(filename, [...(found.get(filename) ?? []), `${filename}:${labels[0].span.line}: ${message}`])

const more = [...found].filter(([file, sites]) => sites.length > (baseline[file] ?? 0))
const fewer = Object.keys(baseline).filter(file => (found.get(file)?.length ?? 0) < baseline[file])
for (const [, sites] of more) console.error(sites.join('\n'))
if (more.length > 0) console.error('Wait for what has to happen, use a clock of the test, 1 ms, or 60 000 ms and more.')
if (fewer.length > 0 && process.argv.includes('--write')) {
  const left = Object.entries(baseline).map(([file, count]) => [file, Math.min(count, found.get(file)?.length ?? 0)])
  writeFileSync(baselineFile, `${JSON.stringify(Object.fromEntries(left.filter(([, count]) => count > 0)), null, 2)}\n`)
} else if (fewer.length > 0) {
  console.error(`Fewer sites than recorded. Run node scripts/check-real-time.mjs --write:\n${fewer.join('\n')}`)
}
if (more.length + fewer.length === 0)
  console.log(`${diagnostics.length} sites of real time in ${found.size} files of tests, as recorded`)
process.exitCode = more.length > 0 || (fewer.length > 0 && !process.argv.includes('--write')) ? 1 : 0
