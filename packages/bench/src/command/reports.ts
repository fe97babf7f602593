// The directory of `--out`, which is tried before anything is measured.
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rmdir, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { UsageError } from '../shared/text.js'

/** Makes the directory if it is missing. @throws {UsageError} if it cannot be made or written to */
export const makeWritable = (out: string): Promise<void> =>
  blameOut(out, async () => {
    await makeDirectory(resolve(out))
    // Permissions are not all: nobody can make a file in /proc.
    await rmdir(await mkdtemp(join(out, '.sallyport-bench-')))
  })

/** Writes files by their names. @throws {UsageError} if one cannot be written */
export const writeReports = (out: string, files: Readonly<Record<string, string>>): Promise<void> =>
  blameOut(out, async () => {
    for (const [name, text] of Object.entries(files)) await writeFile(join(out, name), text)
  })

/** `mkdir` with `recursive` never ends where a directory is "not found" although its parent exists, as in /proc. */
async function makeDirectory(path: string): Promise<void> {
  if (existsSync(path)) return
  if (dirname(path) !== path) await makeDirectory(dirname(path))
  await mkdir(path).catch((error: unknown) => {
    // Another run can have made it.
    if (!existsSync(path)) throw error
  })
}

async function blameOut(out: string, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    throw new UsageError(`--out ${out}: ${(error as Error).message}`)
  }
}
