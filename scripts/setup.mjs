// node scripts/setup.mjs [--only] [filter …]: installs what package.json asks for, with a pnpm of its own, when it is not installed yet, and builds what
// turbo's filters name. Runs on plain Node and npm. With --only, it installs nothing else.
// A build says every 10 s that it goes on, and prints its output only if it fails.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { delimiter } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Between two lines of a build. */
const PROGRESS_MS = 10_000
/** What an install of a part was for. */
const PARTIAL = 'node_modules/.sallyport-part'
const root = new URL('../', import.meta.url)
const shell = process.platform === 'win32'
const read = path => {
  try {
    return readFileSync(new URL(path, root), 'utf8')
  } catch {
    return ''
  }
}

const isPartial = process.argv[2] === '--only'
const filters = process.argv.slice(isPartial ? 3 : 2)

// pnpm keeps the lock file that an install ended with; the same text means that nothing has changed since.
const lock = read('pnpm-lock.yaml')
const partial = isPartial ? `${filters.join(' ')}\n${lock}` : ''
const isInstalled = lock === read('node_modules/.pnpm/lock.yaml') || (isPartial && partial === read(PARTIAL))
if (!isInstalled) {
  const { packageManager } = JSON.parse(read('package.json'))
  const args = ['--yes', packageManager, 'install', '--frozen-lockfile', '--reporter=append-only']
  if (isPartial) args.push(...['sallyport-workspace', ...filters].map(name => `--filter=${name}`))
  execFileSync('npx', args, { cwd: root, stdio: 'inherit', shell })
  writeFileSync(new URL(PARTIAL, root), partial)
}

if (filters.length > 0) await build(filters)

async function build(names) {
  const args = ['run', 'build', ...names.map(name => `--filter=${name}`), '--output-logs=errors-only']
  // Turbo asks the pnpm that it finds.
  const PATH = [fileURLToPath(new URL('node_modules/.bin', root)), process.env.PATH].join(delimiter)
  const child = spawn('turbo', args, { cwd: root, shell, env: { ...process.env, PATH } })
  const output = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', part => output.push(part))
  const startedAt = Date.now()
  const timer = setInterval(() => {
    console.error(`Building ${names.join(' ')}: ${Math.round((Date.now() - startedAt) / 1000)} s`)
  }, PROGRESS_MS)
  const [status] = await once(child, 'close')
  clearInterval(timer)
  if (status === 0) return
  process.stderr.write(Buffer.concat(output))
  process.exit(status ?? 1)
}
