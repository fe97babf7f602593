// node scripts/runtimes.mjs: tries the packed packages on Bun and Deno, which are not supported, and holds the table of
// docs/reference/support.md to what comes of it. The packages must be built. Both runtimes come from the npm registry; Linux on x64.
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { install, run } from './packed/install.mjs'
import { LAYOUTS } from './packed/layouts.mjs'
import { pack } from './packed/pack.mjs'
import { startRegistry } from './packed/registry.mjs'

const root = fileURLToPath(new URL('../', import.meta.url))
/** Of runtimes/case.mjs, in the order of the table's rows. */
const CASES = ['start', 'here', 'worker', 'none', 'permission', 'ses', 'process', 'isolation']
/** By the table's columns. Their packages have an install step that is not needed. */
const RUNTIMES = {
  Bun: { name: '@oven/bun-linux-x64@1.4.5', command: ['@oven/bun-linux-x64/bin/bun'] },
  Deno: { name: '@deno/linux-x64-glibc@2.9.6', command: ['@deno/linux-x64-glibc/deno', 'run', '-A'] },
}
/** Seconds after which a case hangs. */
const PATIENCE = 10

/** The cells of the table, by row. */
function tableIn(page) {
  const rows = page.slice(page.indexOf('| | Bun | Deno |')).split('\n\n')[0].split('\n').slice(2)
  return rows.map(row => row.split(' | ').map(cell => cell.replace(/^\| | \|$/g, '')))
}

const isAsSaid = (said, { code, stdout, stderr }) => {
  if (said === 'works' || said === 'hangs') return code === { works: 0, hangs: 124 }[said]
  const words = /`(.*)`/.exec(said)?.[1]
  return code !== 0 && code !== 124 && `${stdout}${stderr}`.includes(words)
}

const table = tableIn(await readFile(join(root, 'docs/reference/support.md'), 'utf8'))
const folder = await mkdtemp(join(tmpdir(), 'sallyport-runtimes-'))
const registry = await startRegistry(await pack(join(folder, 'tarballs')))
try {
  await install(folder, LAYOUTS.npm, registry.url)
  await cp(join(root, 'scripts/runtimes'), join(folder, 'runtimes'), { recursive: true })
  const names = Object.values(RUNTIMES).map(({ name }) => name)
  const added = await run(['npm', 'install', '--no-audit', '--no-fund', '--ignore-scripts', ...names], folder)
  if (added.code !== 0) throw new Error(added.stderr)
  for (const [row, what] of CASES.entries()) {
    for (const [column, { command }] of Object.values(RUNTIMES).entries()) {
      const [binary, ...args] = command
      const program = [join(folder, 'node_modules', binary), ...args, 'runtimes/case.mjs', what]
      const ended = await run(['timeout', '--kill-after=1', `${PATIENCE}`, ...program], folder)
      const [title, ...said] = table[row]
      const name = `${Object.keys(RUNTIMES)[column]}, ${title}`
      if (isAsSaid(said[column], ended)) {
        console.log(`${name}: ${said[column]}`)
        continue
      }
      process.exitCode = 1
      console.log(`${name}: not as said (${said[column]}), exit code ${ended.code}\n${ended.stdout}${ended.stderr}`)
    }
  }
} finally {
  registry.close()
  await rm(folder, { recursive: true, force: true })
}
