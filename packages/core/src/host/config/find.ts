// Finds the configuration of a Tauri project, and lays the platform's own over it, as Tauri does.
import { BusError } from '@sallyport/protocol'
import { existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { mergePatch } from './merge-patch.js'
import { readConfigFile } from './parse.js'

const NAMES = ['tauri.conf.json', 'tauri.conf.json5', 'Tauri.toml']

const platformNames = (platform: string): string[] => [
  `tauri.${platform}.conf.json`,
  `tauri.${platform}.conf.json5`,
  `Tauri.${platform}.toml`,
]

export interface ConfigFile {
  /** Where it stands: what it names is beside it. */
  folder: string
  /** For error texts: its path, and the name of the platform's file where there is one. */
  from: string
  value: unknown
}

/** @throws BusError `InvalidParams` where there is none, or it can't be parsed */
export async function readConfig(url: URL): Promise<ConfigFile> {
  const path = await find(fileURLToPath(url))
  const folder = dirname(path)
  const common = await readConfigFile(path)
  const own = platformNames(platformName()).find(name => existsSync(join(folder, name)))
  if (!own) return { folder, from: path, value: common }
  return { folder, from: `${path} with ${own}`, value: mergePatch(common, await readConfigFile(join(folder, own))) }
}

async function find(path: string): Promise<string> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new BusError('InvalidParams', `createBus: config: there is no file or folder ${path}`, { cause })
  })
  if (found.isDirectory()) {
    const name = NAMES.find(one => existsSync(join(path, one)))
    if (name) return join(path, name)
    throw new BusError('InvalidParams', `createBus: config: there is no ${NAMES.join(', ')} in ${path}`)
  }
  if (NAMES.includes(basename(path))) return path
  throw new BusError('InvalidParams', `createBus: config: ${path} is none of ${NAMES.join(', ')}, nor a folder`)
}

/** In Tauri's names of files, where macOS is in small letters. */
function platformName(): string {
  if (process.platform === 'darwin') return 'macos'
  if (process.platform === 'win32') return 'windows'
  return process.platform === 'android' ? 'android' : 'linux'
}
