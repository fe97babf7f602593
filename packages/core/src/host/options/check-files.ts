// Looks for the files that options name.
import { access, readdir, stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ModuleText } from '@sallyport/protocol/internal/contract'
import { BusError } from '@sallyport/protocol/internal/errors'
import { didYouMean } from '../../shared/suggest.js'
import type { BusConfig, HostConfig } from './config.js'

/** @throws {BusError} InvalidParams, which names the option and the missing file */
export async function checkFiles(where: string, config: HostConfig & Partial<BusConfig>): Promise<void> {
  const { core, frontends, isolation, network, resources } = config
  if (core instanceof URL) await checkFile(`${where}: core`, core)
  for (const { label, module, text } of frontends) await checkModule(`${where}: frontends.${label}`, module, text)
  if (network) await checkFile(`${where}: network.module`, network.module)
  if (resources) await checkFile(`${where}: resources`, resources)
  if (isolation.dir) await checkFile(isolation.from, new URL('index.html', isolation.dir))
}

/** Checks the module's file, or the directory of code that has no file. */
export async function checkModule(what: string, url: URL, text: ModuleText | undefined): Promise<void> {
  if (!text) return checkFile(what, url)
  if (url.protocol !== 'file:') return
  const directory = new URL('.', url)
  const isDirectory = await stat(directory).then(
    stats => stats.isDirectory(),
    () => false,
  )
  if (!isDirectory) throw new BusError('InvalidParams', `${what}: there is no directory ${fileURLToPath(directory)}`)
}

/** Modules outside of files (`data:`, …) are looked for when they are loaded. */
export async function checkFile(what: string, url: URL): Promise<void> {
  if (url.protocol !== 'file:') return
  const path = fileURLToPath(url)
  try {
    await access(path)
  } catch {
    throw new BusError('InvalidParams', `${what}: there is no file ${path}${await suggestFile(path)}`)
  }
}

async function suggestFile(path: string): Promise<string> {
  const directory = dirname(path)
  try {
    return didYouMean(basename(path), await readdir(directory))
  } catch {
    return `, nor a directory ${directory}`
  }
}
