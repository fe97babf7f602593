// node scripts/nodes.mjs [version …]: what users run (the README's example, and each pattern and sandbox, from packed
// packages), the examples and a part of core's tests, by these versions of Node, or by the one that runs this. The packages
// must be built. Other versions come from the npm registry (`npx -p node@24 node`).
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { getExpected } from './packed/expected.mjs'
import { install, run } from './packed/install.mjs'
import { LAYOUTS } from './packed/layouts.mjs'
import { pack } from './packed/pack.mjs'
import { startRegistry } from './packed/registry.mjs'

const root = fileURLToPath(new URL('../', import.meta.url))
const vitest = join(root, 'node_modules/vitest/vitest.mjs')
/** Where versions differ: threads, the permission model, processes, sandboxes, what Node says of errors. */
const TESTS = [
  'test/long/supervision/lifecycle',
  'test/isolation',
  'test/long/sandboxes',
  'test/long/faults',
  'test/long/hostile',
  'test/matrix/hostile',
  'test/matrix/sandboxes',
  'test/calls/session',
]
const EXAMPLES = ['examples/hello', 'examples/tauri-notes', 'tests/test-runners']

function judge(what, { code, stdout, stderr }, expected) {
  if (code === 0 && (expected === undefined || stdout === expected)) return console.log(`${what}: as expected`)
  process.exitCode = 1
  console.log(
    `${what}: failed (${code})\n${expected === undefined ? '' : `expected\n${expected}but it printed\n`}${stdout}${stderr}`,
  )
}

const folder = await mkdtemp(join(tmpdir(), 'sallyport-nodes-'))
const registry = await startRegistry(await pack(join(folder, 'tarballs')))
try {
  const place = join(folder, 'app')
  const { output } = await install(place, LAYOUTS.npm, registry.url)
  const versions = process.argv.length > 2 ? process.argv.slice(2) : [undefined]
  for (const asked of versions) {
    const node = asked === undefined ? [process.execPath] : ['npx', '--yes', '-p', `node@${asked}`, 'node']
    const version = (await run([...node, '--version'], root)).stdout.trim()
    judge(`${version}, the README’s example`, await run([...node, 'app.mjs'], place), output)
    judge(`${version}, the cases`, await run([...node, 'app/host.mjs'], place), getExpected())
    const projects = ['--project=workers', '--project=long', '--project=matrix']
    const inCore = [...node, vitest, 'run', '--reporter=dot', ...projects, ...TESTS]
    judge(`${version}, tests of core`, await run(inCore, join(root, 'packages/core')))
    for (const example of EXAMPLES) {
      const command = [...node, vitest, 'run', '--reporter=dot', '--project=workers']
      judge(`${version}, ${example}`, await run(command, join(root, example)))
    }
  }
} finally {
  registry.close()
  await rm(folder, { recursive: true, force: true })
}
