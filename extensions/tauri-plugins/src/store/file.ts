// The file of a store: a JSON object. It is replaced as a whole, so that a crash leaves either the old or the new one.
import { decodeText, openToRead, parseJson, resolveBelow } from '@sallyport/paths/internal'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { readOpened } from '../shared/io.js'

/** Ends the name of a file that is being written. No store has such a name. */
export const UNFINISHED = '~'

/** A directory of stores, which files may not leave through links. */
export interface StorePath {
  readonly directory: string
  readonly file: string
}

export type Content = Map<string, unknown>

export class CorruptFile extends Error {}

/** Reads a store. @throws {CorruptFile} if it is not a JSON object; the errors of `fs`; an error if the file has more than `maxBytes` */
export async function readStoreFile(path: StorePath, maxBytes: number): Promise<Content> {
  const { handle, size } = await openToRead(await getCanonical(path.directory, path.file))
  try {
    if (size > maxBytes) throw new Error(`Failed to deserialize store. It has more than ${maxBytes} bytes.`)
    return parse(await readOpened({ handle, size }))
  } finally {
    await handle.close()
  }
}

/** Replaces the file. Resolves once the content is on the disk. */
export async function writeStoreFile(path: StorePath, text: string): Promise<void> {
  await mkdir(dirname(path.file), { recursive: true, mode: 0o700 })
  const parent = await getCanonical(path.directory, dirname(path.file))
  const file = join(parent, basename(path.file))
  const unfinished = file + UNFINISHED
  // A process that was killed leaves one.
  await rm(unfinished, { force: true })
  try {
    const handle = await open(unfinished, 'wx', 0o600)
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(unfinished, file)
  } catch (error) {
    await rm(unfinished, { force: true })
    throw error
  }
  await syncDirectory(parent)
}

export async function keepAside(path: StorePath): Promise<string> {
  const parent = await getCanonical(path.directory, dirname(path.file))
  const name = basename(path.file)
  const aside = `${name}.corrupt-${Date.now()}`
  await rename(join(parent, name), join(parent, aside))
  return aside
}

/** Returns the path without links. @throws {Error} if they lead out of the directory */
async function getCanonical(directory: string, path: string): Promise<string> {
  const found = await resolveBelow(directory, path)
  if (found) return found.path
  throw new Error('Store path refused: a link leads out of the directory of stores.')
}

function parse(bytes: Uint8Array): Content {
  let value: unknown
  try {
    value = parseJson(decodeText(bytes))
  } catch (error) {
    throw new CorruptFile(`Failed to deserialize store. ${(error as Error).message}`, { cause: error })
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return new Map(Object.entries(value))
  throw new CorruptFile('Failed to deserialize store. It is not a JSON object.')
}

/** Makes the rename durable. Windows cannot open directories. */
async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
