// Looks for the files that options name.
import { access, readdir, stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ModuleText } from '@sallyport/protocol/internal/contract'
import { BusError, didYouMean } from '@sallyport/protocol/internal/errors'
import type { HostConfig } from '../life/frontends/config.js'
import type { BusConfig } from './config.js'

/** @throws {BusError} InvalidParams, which names the option and the missing file */
export async function checkFiles(where: string, config: HostConfig & Partial<BusConfig>): Promise<void> {
  const { core, frontends, isolation, network, resources } = config
  if (core instanceof URL) await checkModule(`${where}: core`, core, undefined)
  for (const { label, module, text } of frontends) await checkModule(`${where}: frontends.${label}`, module, text)
  if (network) await checkFile(`${where}: network.module`, network.module)
  if (resources) await checkFile(`${where}: resources`, resources)
  if (isolation.dir) await checkFile(isolation.from, new URL('index.html', isolation.dir))
}

/** Checks the module's file, or the directory of code that has no file. */
export async function checkModule(what: string, url: URL, text: ModuleText | undefined): Promise<void> {
  if (url.protocol !== 'file:') return
  if (text) {
    const directory = new URL('.', url)
    if (await isDirectory(directory)) return
    throw new BusError('InvalidParams', `${what}: there is no directory ${fileURLToPath(directory)}`)
  }
  await checkFile(what, url)
  if (!(await isDirectory(url))) return
  throw new BusError('InvalidParams', `${what}: ${fileURLToPath(url)} is a directory. Name a file in it`)
}

const isDirectory = (url: URL): Promise<boolean> =>
  stat(url).then(
    stats => stats.isDirectory(),
    () => false,
  )

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
