// What a frontend that is a script loads, and what its loaders read for that. The script itself cannot read files.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { FrontendStart } from '@sallyport/protocol/internal/contract'
import { BusError } from '@sallyport/protocol/internal/errors'
import { type Entry, findEntry } from '../workers/spawn.js'
import {
  type FrontendCode,
  getEntryGrants,
  getReadGrants,
  joinGrants,
  realModule,
} from '@sallyport/process/internal/permission-model'

/** @param runnerName - the package's entry that is a `ScriptRunner` */
export function getScriptCode(
  runnerName: string,
  entry: Entry,
  { module: href, text, script }: FrontendStart,
): FrontendCode {
  const module = realModule(href, !text)
  const runner = findEntry(runnerName)
  const isRead = !text && script === undefined && module.protocol === 'file:'
  const reads = joinGrants([...[entry, runner].map(getEntryGrants), ...(isRead ? [getReadGrants(module)] : [])])
  return { code: { module: module.href, runner }, reads, flags: [] }
}

/** Reads the file of a script, with each start. @throws {BusError} LoadFailed */
export function readScript({ module, text }: FrontendStart): string | undefined {
  if (text || !module.startsWith('file:')) return undefined
  try {
    return readFileSync(new URL(module), 'utf8')
  } catch (cause) {
    const message = `Frontend script ${fileURLToPath(module)}: it cannot be read: ${(cause as Error).message}`
    throw new BusError('LoadFailed', message, { cause })
  }
}
