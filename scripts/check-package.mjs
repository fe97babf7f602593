// node ../../scripts/check-package.mjs, in a package: packs it as it is published, and asks publint and attw what a user's
// Node, bundler and TypeScript would trip over.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const bin = fileURLToPath(new URL('../node_modules/.bin/', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'sallyport-check-'))

/** Quiet, unless it fails. */
function run(command, ...args) {
  const { status, stdout, stderr, error } = spawnSync(join(bin, command), args, {
    encoding: 'utf8',
    shell: process.platform === 'win32',
  })
  if (status === 0) return
  process.exitCode = 1
  console.error(`${command} ${args.join(' ')}\n${stdout}${stderr}${error?.message ?? ''}`)
}

const { exports, bin: commands = {} } = JSON.parse(readFileSync('package.json', 'utf8'))
for (const path of Object.values(commands)) {
  if (process.platform === 'win32' || statSync(path).mode & 0o100) continue
  process.exitCode = 1
  console.error(`${path} cannot be run: its package's build ends with scripts/executable.mjs`)
}
try {
  run('pnpm', 'pack', '--pack-destination', folder)
  for (const tarball of readdirSync(folder)) {
    run('publint', 'run', join(folder, tarball), '--strict')
    // Sallyport is ES modules alone (package.json's `type`): what CommonJS would see is not asked. Nothing imports a program.
    const programs = Object.keys(exports).filter(id => exports[id].default?.endsWith('.cjs'))
    const excluded = programs.length > 0 ? ['--exclude-entrypoints', ...programs] : []
    run('attw', join(folder, tarball), '--profile', 'esm-only', '--no-color', ...excluded)
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
