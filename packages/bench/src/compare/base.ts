// What `--base` names: a file with an earlier run's ratios, a folder, or a git ref that becomes a folder for a while.
import { mkdtempSync, rmSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Baseline } from '../report/baseline.js'
import { UsageError } from '../command/usage.js'
import { checkOut, commitOf, forgetCheckouts, prepare } from './checkout.js'
import { readBaseline } from './file-base.js'

export type Base =
  | { kind: 'file'; name: string; baseline: Baseline }
  | { kind: 'folder'; name: string; root: string; folder: string }
  | { kind: 'ref'; name: string; commit: string; root: string; folder: string }

export interface Opened {
  base: Base
  /** A folder of our own, for as long as the base is open. */
  temporary: string
  /** Takes the folder away. It goes with the process, too, in whatever way that ends. */
  close(): void
}

/**
 * @param command how a git ref is installed and built; null for what its files ask for
 * @throws UsageError where there is no such thing, or it can't be built; the signal's reason when it is aborted
 */
export async function openBase(name: string, command: string | null, signal: AbortSignal): Promise<Opened> {
  const temporary = mkdtempSync(join(tmpdir(), 'sallyport-compare-'))
  const close = (): void => {
    process.off('exit', close)
    rmSync(temporary, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
    forgetCheckouts()
  }
  process.on('exit', close)
  try {
    return { base: await find(name, command, join(temporary, 'base'), signal), temporary, close }
  } catch (error) {
    close()
    // Ctrl-C goes to git as well, which then fails.
    signal.throwIfAborted()
    throw error
  }
}

async function find(name: string, command: string | null, folder: string, signal: AbortSignal): Promise<Base> {
  const found = await stat(name).catch(() => undefined)
  if (found?.isFile()) return { kind: 'file', name, baseline: readBaseline(await readFile(name, 'utf8'), name) }
  if (found) return { kind: 'folder', name, root: resolve(name), folder: resolve(name) }
  const commit = await commitOf(name)
  if (commit === undefined) throw new UsageError(`--base: '${name}' is no file, no folder and no git ref`)
  const checkout = await checkOut(commit, folder)
  await prepare(checkout.folder, command, signal)
  return { kind: 'ref', name, commit, root: checkout.folder, folder: join(checkout.folder, checkout.prefix) }
}
