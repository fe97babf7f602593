// The loaded stores of a core, by file: one for each file, whichever frontends hold it.
import type { App, CommandContext } from '@sallyport/core'
import { getOwnName, getPathRules, isDeviceName } from '@sallyport/paths/internal'
import { foldCase } from '@sallyport/paths/internal/glob'
import { mkdir, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { invalidArg } from '../definition/args.js'
import { LabelSlots } from '../io/slots.js'
import { UNFINISHED } from './file.js'
import { LoadedStore, type LoadOptions } from './loaded-store.js'

const MAX_NAMES = 4
const MAX_NAME_LENGTH = 100
/** Stores that one frontend can hold. */
const MAX_HELD = 32
/** Files in the directory of a frontend. */
const MAX_FILES = 256

export interface StoresOptions {
  readonly stores: 'label' | 'app' | ((label: string) => string)
  readonly directory: string | undefined
  readonly maxBytes: number
}

interface Place {
  readonly key: string
  readonly name: string
  readonly directory: string
  readonly file: string
}

export class Stores {
  readonly #app: App
  readonly #options: StoresOptions
  readonly #loaded = new Map<string, LoadedStore>()
  /** The last load or unload of each file, which happen one after another. */
  readonly #tasks = new Map<string, Promise<unknown>>()
  /** Loads of one frontend run one after another, because their number is limited. */
  readonly #loads = new LabelSlots(1)

  constructor(app: App, options: StoresOptions) {
    this.#app = app
    this.#options = options
  }

  /** Returns the caller's number of a store, and loads it unless it is loaded. */
  load(path: string, options: LoadOptions, { label, resources, signal }: CommandContext): Promise<number> {
    const place = this.#locate(path, label)
    const load = async (): Promise<number> => {
      let store = this.#loaded.get(place.key)
      const held = [...this.#loaded.values()].filter(each => each !== store && each.isHeldBy(resources))
      if (held.length >= MAX_HELD) throw new Error(`Store refused: ${MAX_HELD} stores are loaded. Close some of them.`)
      if (store && options.createNew) {
        await store.load(options)
        store.forget(resources)
      } else if (!store) {
        store = await this.#create(place, options)
        this.#loaded.set(place.key, store)
      }
      return store.hold(resources, label)
    }
    return this.#loads.run(label, signal, () => this.#queue(place.key, load))
  }

  /** Returns the caller's number of a store that is loaded, or null. */
  get(path: string, { label, resources }: CommandContext): Promise<number | null> {
    const { key } = this.#locate(path, label)
    return this.#queue(key, async () => this.#loaded.get(key)?.hold(resources, label) ?? null)
  }

  /** Saves all changes. */
  async close(): Promise<void> {
    await Promise.all(this.#tasks.values())
    await Promise.all(Array.from(this.#loaded.values(), store => store.flush()))
  }

  async #create({ key, name, directory, file }: Place, options: LoadOptions): Promise<LoadedStore> {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    if (this.#options.stores !== 'app') await checkFiles(directory, file)
    const { maxBytes } = this.#options
    const store = new LoadedStore({
      app: this.#app,
      path: { directory, file },
      name,
      maxBytes,
      onReleased: () =>
        this.#queue(key, async () => {
          // A frontend can hold it again by now.
          if (this.#loaded.get(key) !== store || store.isHeldBy()) return
          await store.flush()
          this.#loaded.delete(key)
        }),
    })
    await store.load(options)
    return store
  }

  /** @throws {Error} for a path that is absolute, leads upwards, or that not every platform can have */
  #locate(path: string, label: string): Place {
    const names = path.split(/[/\\]/).filter((name, index) => name !== '.' && (name !== '' || index === 0))
    if (names.length === 0 || names.length > MAX_NAMES) throw invalidArg('path', `expected 1 to ${MAX_NAMES} names`)
    for (const name of names) {
      if (name !== '' && name !== '..' && name.length <= MAX_NAME_LENGTH && isPortable(name)) continue
      throw invalidArg('path', `a store needs a relative path without "..", got ${JSON.stringify(path.slice(0, 200))}`)
    }
    const { stores } = this.#options
    const root = this.#options.directory ?? this.#app.path.parse('$APPDATA')
    const owner = typeof stores === 'function' ? stores(label) : label
    if (typeof owner !== 'string' || owner === '')
      throw new Error('Store refused: the host gave its directory no name.')
    const directory = stores === 'app' ? root : join(root, 'stores', getOwnName(owner))
    const file = join(directory, ...names)
    const key = getPathRules().isCaseSensitive ? file : foldCase(file)
    return { key, name: path, directory, file }
  }

  async #queue<T>(key: string, task: () => Promise<T>): Promise<T> {
    const running = (this.#tasks.get(key) ?? Promise.resolve()).then(task)
    const settled = running.then(
      () => {},
      () => {},
    )
    this.#tasks.set(key, settled)
    try {
      return await running
    } finally {
      if (this.#tasks.get(key) === settled) this.#tasks.delete(key)
    }
  }
}

/** False for control characters, characters and ends that Windows does not keep, devices, and names of unfinished files. */
const isPortable = (name: string): boolean =>
  // oxlint-disable-next-line no-control-regex
  !/[\0-\x1f<>:"|?*\x7f]/.test(name) && !/[. ]$/.test(name) && !name.endsWith(UNFINISHED) && !isDeviceName(name)

/** @throws {Error} if a new file would be one too many */
async function checkFiles(directory: string, file: string): Promise<void> {
  const isNew = await stat(file).then(
    () => false,
    () => true,
  )
  if (!isNew) return
  const files = await readdir(directory, { recursive: true })
  if (files.length >= MAX_FILES)
    throw new Error(`Store refused: the frontend has ${MAX_FILES} files. Remove some of them.`)
}
