// Are the files there that the options name? Asked before anything starts, so that a typing error costs nothing.
import { BusError } from '@sallyport/protocol'
import { access, readdir } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { didYouMean } from '../guess.js'
import type { ResolvedOptions } from './options.js'

/** A process without core has none of core's. */
type CheckedFiles = Pick<ResolvedOptions, 'frontends' | 'isolation'> &
  Partial<Pick<ResolvedOptions, 'core' | 'network'>>

/** @throws BusError `InvalidParams`, which names the option and the file that is missing. */
export async function checkFiles(where: string, options: CheckedFiles): Promise<void> {
  const { core, frontends, isolation, network } = options
  if (core instanceof URL) await checkFile(`${where}: core`, core)
  for (const { label, module } of frontends) await checkFile(`${where}: frontends.${label}`, module)
  if (network) await checkFile(`${where}: network.module`, network.module)
  if (isolation.dir) await checkFile(isolation.from, new URL('index.html', isolation.dir))
}

/** Modules elsewhere than in files (`data:`, …) are looked for when they are loaded. */
export async function checkFile(what: string, url: URL): Promise<void> {
  if (url.protocol !== 'file:') return
  const path = fileURLToPath(url)
  try {
    await access(path)
  } catch (cause) {
    throw new BusError('InvalidParams', `${what}: there is no file ${path}${await hintFor(path)}`, { cause })
  }
}

/** The nearest name in its folder, or that there is no such folder. */
async function hintFor(path: string): Promise<string> {
  const folder = dirname(path)
  try {
    return didYouMean(basename(path), await readdir(folder))
  } catch {
    return `, nor a folder ${folder}`
  }
}
