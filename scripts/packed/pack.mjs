// node scripts/packed/pack.mjs: packs the packages as they are published, into dist-packages/. The tests of installs, bundlers and Node's versions
// start from such packages, too.
import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = fileURLToPath(new URL('../../', import.meta.url))
const run = promisify(execFile)

/** In the order in which they need each other. */
export const PACKAGES = [
  ...['protocol', 'frontend', 'isolation', 'paths', 'process', 'quickjs', 'quickjs-images', 'inspector', 'core'],
  ...['nats', 'tauri-plugins', 'plugin-host', 'mcp', 'code-mode', 'web', 'compare', 'bench'],
]

/** Those that have code. */
export const PROGRAMS = PACKAGES.filter(name => name !== 'quickjs-images')

const EXTENSIONS = new Set(readdirSync(join(root, 'extensions')))

/** `packages/core`, `extensions/nats` */
export const getDirectory = name => `${EXTENSIONS.has(name) ? 'extensions' : 'packages'}/${name}`

/**
 * Resolves to the paths of the tarballs, in the same order. The packages must be built.
 *
 * @param {string} folder made where it is missing
 * @param {readonly string[]} names
 */
export async function pack(folder, names = PACKAGES) {
  await mkdir(folder, { recursive: true })
  const pnpm = join(root, 'node_modules/.bin/pnpm')
  const filters = names.map(name => `--filter=@sallyport/${name}`)
  const shell = process.platform === 'win32'
  await run(pnpm, ['--recursive', ...filters, 'pack', '--pack-destination', folder], { cwd: root, shell })
  const files = await readdir(folder)
  return names.map(name => join(folder, files.find(file => file.startsWith(`sallyport-${name}-`)) ?? ''))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = join(root, 'dist-packages')
  await rm(folder, { recursive: true, force: true })
  const tarballs = await pack(folder)
  console.info(
    `Packed ${tarballs.length} packages. In a project, install them with\n  npm install ${join(folder, '*.tgz')}`,
  )
}
