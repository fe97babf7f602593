// npm run test:matrix -- --only before: whether what was written for the commit before still works. In a copy of that commit, the docs' programs and
// *ways and sizes* run against the packages of this tree, as they are packed. What is changed on purpose fails here, too.
// `SALLYPORT_BEFORE` names another commit than `HEAD~1`, such as the merge base. The packages must be built.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { getDirectory, pack, PACKAGES } from './packed/pack.mjs'

const root = fileURLToPath(new URL('../', import.meta.url))
const ref = process.env.SALLYPORT_BEFORE ?? 'HEAD~1'
const folder = mkdtempSync(join(tmpdir(), 'sallyport-before-'))
const tree = join(folder, 'tree')
const run = (command, args, cwd = tree) => execFileSync(command, args, { cwd, stdio: 'inherit' })
const readManifest = directory => JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'))

/** Fails the script if a test fails. With TURBO_HASH, no test builds the sources of that commit again. */
function runTests(directory, file, env = {}) {
  const args = [join(tree, 'node_modules/vitest/vitest.mjs'), 'run', '--project=workers', file]
  const options = { cwd: join(tree, directory), stdio: 'inherit', env: { ...process.env, TURBO_HASH: ref, ...env } }
  if (spawnSync(process.execPath, args, options).status !== 0) process.exitCode = 1
}

try {
  const tarballs = await pack(join(folder, 'tarballs'))
  run('git', ['worktree', 'add', '--detach', tree, ref], root)
  for (const [index, name] of PACKAGES.entries()) {
    const place = join(tree, getDirectory(name))
    mkdirSync(place, { recursive: true })
    // That of this tree: the packed one would look for the other packages in the registry.
    const manifest = readManifest(join(root, getDirectory(name)))
    const devDependencies = existsSync(join(place, 'package.json')) ? readManifest(place).devDependencies : {}
    run('tar', ['-xzf', tarballs[index], '-C', place, '--strip-components=1'])
    writeFileSync(join(place, 'package.json'), JSON.stringify({ ...manifest, devDependencies }))
  }
  run(join(root, 'node_modules/.bin/pnpm'), ['install', '--no-frozen-lockfile', '--prefer-offline'])
  // The tests of core import its entries as sources, so that they run without a build: each becomes the one that users get.
  const core = join(tree, 'packages/core')
  for (const file of readdirSync(join(core, 'dist/bundle')).filter(name => /^[\w-]+\.js$/.test(name))) {
    const source = join(core, 'src', file.replace(/js$/, 'ts'))
    if (existsSync(source)) writeFileSync(source, `export * from '../dist/bundle/${file}'\n`)
  }
  runTests('site', 'test/programs.test.ts', { SALLYPORT_TEST_WAYS: 'all' })
  runTests('packages/core', 'test/calls/ways-and-sizes.test.ts')
} finally {
  spawnSync('git', ['worktree', 'remove', '--force', tree], { cwd: root, stdio: 'inherit' })
  rmSync(folder, { recursive: true, force: true })
}
