// Are the files there that the options name? Asked before anything starts, so that a typing error costs nothing.
import { BusError } from '@sallyport/protocol'
import { access } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { ResolvedOptions } from './options.js'

/** @throws BusError `InvalidParams`, which names the option and the file that is missing. */
export async function checkFiles({ core, frontends, isolation }: ResolvedOptions): Promise<void> {
  await checkFile('createBus: core', core)
  for (const { label, module } of frontends) await checkFile(`createBus: frontends.${label}`, module)
  if (isolation.dir) await checkFile(isolation.from, new URL('index.html', isolation.dir))
}

/** Modules elsewhere than in files (`data:`, …) are looked for when they are loaded. */
export async function checkFile(what: string, url: URL): Promise<void> {
  if (url.protocol !== 'file:') return
  const path = fileURLToPath(url)
  await access(path).catch((cause: unknown) => {
    throw new BusError('InvalidParams', `${what}: there is no file ${path}`, { cause })
  })
}
