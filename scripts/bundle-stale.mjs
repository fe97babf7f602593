// What vitest runs first: tests load the other packages, and every worker, from dist/bundle/. `npm run watch` compiles, too, before each run.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { bundleStale } from './bundle.mjs'

const root = fileURLToPath(new URL('../', import.meta.url))
const folders = ['packages', 'extensions'].flatMap(top =>
  readdirSync(`${root}${top}`).map(name => `${root}${top}/${name}`),
)

async function bundleAll() {
  for (const folder of folders) await bundleStale(folder)
}

async function build() {
  const projects = folders.filter(folder => existsSync(`${folder}/tsconfig.json`))
  const { status } = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-b', ...projects], {
    cwd: root,
    stdio: 'inherit',
  })
  if (status === 0) await bundleAll()
}

export async function setup(project) {
  // Turbo has built what these tests need. It can be building another package now, whose files are not whole.
  if (process.env.TURBO_HASH !== undefined) return
  if (process.env.npm_lifecycle_event !== 'watch') return bundleAll()
  await build()
  project.onTestsRerun(build)
}
