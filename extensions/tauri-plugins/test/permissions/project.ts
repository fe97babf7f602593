// Writes a Tauri project without `gen/schemas`, for which this package is installed, into a directory that is deleted after the test.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import type { Capability } from '@sallyport/core/internal'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterTests } from '../../../../scripts/testing.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const directories: string[] = []
afterTests.each.push(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true })
})

/** Returns the directory of the configuration. */
export function writeProject(capabilities: readonly Capability[]): string {
  const directory = mkdtempSync(join(tmpdir(), 'sallyport-plugins-'))
  directories.push(directory)
  mkdirSync(join(directory, 'node_modules/@sallyport'), { recursive: true })
  symlinkSync(root, join(directory, 'node_modules/@sallyport/tauri-plugins'), 'junction')
  const project = join(directory, 'src-tauri')
  mkdirSync(project)
  writeFileSync(join(project, 'tauri.conf.json'), JSON.stringify({ app: { security: { capabilities } } }))
  return project
}
