// A text that several programs keep in one file: none loses what another one writes at the same time.
import { randomUUID } from 'node:crypto'
import { lstat, readdir, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { pause } from '@sallyport/protocol/internal/contract'
import { getPublicMessage } from '@sallyport/protocol/internal/errors'
import { decodeText } from '@sallyport/protocol/internal/util'

/** Age of a `.next` file from which on its program is taken for dead. */
const STALE_MS = 5000

/** Changes of this thread follow each other. */
let changing: Promise<unknown> = Promise.resolve()

/**
 * A text in one file that several programs change, as JSON of settings: none loses what another one writes at the same time.
 *
 * @example await new SharedText('/srv/app/state.json', 0o600).change(text => JSON.stringify({ ...JSON.parse(text ?? '{}'), theme: 'dark' }))
 */
export class SharedText {
  readonly #file: string | undefined
  readonly #mode: number
  readonly #readFile: (file: string) => Promise<string>
  /** The text without a file. */
  #text: string | undefined

  /**
   * @param file - is read each time, because other programs and people can change it. Without one, the text is kept in memory
   * @param mode - permissions of the file
   * @param read - reads it
   */
  constructor(
    file: string | undefined,
    mode: number,
    read: (file: string) => Promise<string> = async path => decodeText(await readFile(path)),
  ) {
    this.#file = file
    this.#mode = mode
    this.#readFile = read
  }

  /** Returns `undefined` without a file. @throws what `read` throws */
  async read(): Promise<string | undefined> {
    return this.#file === undefined ? this.#text : this.#readFile(this.#file).catch(ignoreMissing)
  }

  /**
   * Replaces the file as a whole, or not at all. If another program has died while it did so, this waits for up to 5 seconds.
   *
   * @param change - returns the new text. It is called again if another program was faster
   * @throws what `change` and `read` throw
   */
  change(change: (text: string | undefined) => string): Promise<void> {
    const changed = changing.then(async () => {
      while (!(await this.#replace(change))) await pause(Math.random() * 20)
    })
    changing = changed.catch(() => {})
    return changed
  }

  /**
   * Returns false if another program writes the file at the same time. Each attempt creates a `.next` file, looks for those of others, and only
   * then renames its own: of two programs, at least one finds the other's. A program that was paused until others removed its file as stale can
   * neither write nor rename it any more, because no name is used twice.
   */
  async #replace(change: (text: string | undefined) => string): Promise<boolean> {
    // A link stays one: the file can be in a repository.
    const file = this.#file && (await realpath(this.#file).catch(() => this.#file))
    const before = await this.read()
    const after = change(before)
    if (after === before) return true
    if (file === undefined) {
      this.#text = after
      return true
    }
    const next = `${file}.${randomUUID()}.next`
    await writeFile(next, '', { flag: 'wx', mode: this.#mode }).catch((cause: Error) => {
      // Node names the `.next` file, which nobody knows.
      const text = `${file} was not written: ${getPublicMessage(cause)}. Create its directory, and let this program write to it.`
      throw Object.assign(new Error(text, { cause }), { code: (cause as NodeJS.ErrnoException).code })
    })
    try {
      if (await isOtherWriting(file, next)) return false
      // r+ does not create the file again.
      await writeFile(next, after, { flag: 'r+', flush: true })
      if ((await this.read()) !== before) return false
      await rename(next, file)
      return true
    } catch (error) {
      ignoreMissing(error as NodeJS.ErrnoException)
      return false
    } finally {
      await rm(next, { force: true })
    }
  }
}

/** Removes stale files of others. Ages are differences of times of files, so that the clock of the file system does not matter. */
async function isOtherWriting(file: string, next: string): Promise<boolean> {
  const { mtimeMs } = await lstat(next)
  for (const name of await readdir(dirname(file))) {
    const other = join(dirname(file), name)
    if (!name.startsWith(`${basename(file)}.`) || !name.endsWith('.next') || name === basename(next)) continue
    if (Math.abs(mtimeMs - (await lstat(other)).mtimeMs) < STALE_MS) return true
    await rm(other, { force: true })
  }
  return false
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined
  throw error
}
