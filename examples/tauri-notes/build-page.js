// @ts-check
// Bundles the app's page to a directory, as Vite or any other bundler of a Tauri project would.
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'rolldown'

const source = join(import.meta.dirname, 'src')

/** @param {string} dir */
export async function buildPage(dir) {
  const input = { page: join(source, 'page.js'), notes: join(source, 'notes.js') }
  await build({ input, platform: 'browser', output: { dir, format: 'esm' } })
  cpSync(join(source, 'index.html'), join(dir, 'index.html'))
}
