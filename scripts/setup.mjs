// node scripts/setup.mjs [filter]: installs what package.json asks for, with a pnpm of its own, when it is not installed yet, and
// builds what turbo's filter names. Runs on plain Node and npm. A build prints something only if it fails.
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

const root = new URL('../', import.meta.url)
const read = path => {
  try {
    return readFileSync(new URL(path, root), 'utf8')
  } catch {
    return ''
  }
}

// pnpm keeps the lock file that an install ended with; the same text means that nothing has changed since.
if (read('pnpm-lock.yaml') !== read('node_modules/.pnpm/lock.yaml')) {
  const { packageManager } = JSON.parse(read('package.json'))
  const args = ['--yes', packageManager, 'install', '--frozen-lockfile', '--reporter=append-only']
  execFileSync('npx', args, { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' })
}

const [filter] = process.argv.slice(2)
if (filter) {
  const command = `turbo run build --filter=${filter} --output-logs=errors-only`
  const { status, stdout, stderr } = spawnSync(command, { cwd: root, encoding: 'utf8', shell: true })
  if (status !== 0) {
    process.stderr.write(stdout + stderr)
    process.exit(status ?? 1)
  }
}
