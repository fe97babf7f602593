// Writes the files of a Tauri project into a new directory, which is deleted after the test.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterTests } from '../../../../scripts/testing.js'

const directories: string[] = []
afterTests.each.push(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true })
})

/** @param files - contents by path: strings are written unchanged, other values in JSON. @returns the directory */
export function writeProject(files: Readonly<Record<string, unknown>>): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-project-')))
  directories.push(directory)
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), typeof content === 'string' ? content : JSON.stringify(content, null, 2))
  }
  return directory
}
