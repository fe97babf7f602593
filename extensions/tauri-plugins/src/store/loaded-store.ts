// A store in memory: its content, the frontends that hold it, and when it is saved.
import type { App, Resources } from '@sallyport/core'
import { forgetResource } from '../definition/resources.js'
import { toIoText } from '../io/errors.js'
import { type Change, StoreContent } from './changes.js'
import { type Content, CorruptFile, keepAside, readStoreFile, type StorePath, writeStoreFile } from './file.js'

/** The longest time for which further changes delay an auto-save, unless its own delay is longer. */
const LONGEST_WAIT_MS = 5000

/** How a store is loaded, and when it is saved. */
export interface LoadOptions {
  readonly defaults: Content | undefined
  /** Milliseconds after the last change; `undefined`: never. */
  readonly autoSave: number | undefined
  readonly createNew: boolean
  readonly overrideDefaults: boolean
}

export interface StoreDeps {
  readonly app: App
  readonly path: StorePath
  /** The path as frontends name it. */
  readonly name: string
  readonly maxBytes: number
  /** Called when the last frontend has closed the store. */
  onReleased(): Promise<void>
}

export class LoadedStore {
  readonly content: StoreContent
  readonly #deps: StoreDeps
  readonly #holders = new Map<Resources, StoreHandle>()
  #options: LoadOptions = { defaults: undefined, autoSave: undefined, createNew: false, overrideDefaults: false }
  #timer: NodeJS.Timeout | undefined
  /** When an auto-save has to begin at the latest. */
  #deadline = 0
  #version = 0
  #savedVersion = 0
  /** The last of the saves, which run one after another. */
  #saving: Promise<void> = Promise.resolve()
  /** The save that has not begun yet. It saves what changes until then. */
  #queued: Promise<void> | undefined

  constructor(deps: StoreDeps) {
    this.#deps = deps
    this.content = new StoreContent(deps.maxBytes)
  }

  /** @throws {Error} if the file cannot be read, unless it is missing or corrupt */
  async load(options: LoadOptions): Promise<void> {
    this.#options = options
    this.#cancelTimer()
    const file = options.createNew ? undefined : await this.#readOrKeepAside()
    const content = new Map(file && options.overrideDefaults ? [] : options.defaults)
    for (const [key, value] of file ?? []) content.set(key, value)
    this.content.replace(content)
    this.#savedVersion = ++this.#version
  }

  /** Reads the file again, over the present content or in place of it. */
  async reload(ignoresPresent: boolean): Promise<void> {
    await this.#saving
    const file = await readStoreFile(this.#deps.path, this.#deps.maxBytes)
    if (ignoresPresent) this.content.replace(file)
    else this.content.merge(file)
  }

  /** Changes the content, notifies the holders, and saves if it is time. Resolves early unless every change is saved at once. */
  async change(apply: (content: StoreContent) => readonly (Change | undefined)[]): Promise<void> {
    const changes = apply(this.content).filter(change => change !== undefined)
    if (changes.length === 0) return
    this.#version++
    for (const change of changes) this.#notify(change)
    const { autoSave } = this.#options
    if (autoSave === 0) return this.save()
    if (autoSave !== undefined) this.#schedule(autoSave)
  }

  reset(): Promise<void> {
    return this.change(content => content.replace(this.#options.defaults ?? new Map()))
  }

  /** Saves after the saves that are in progress. Rejects with Rust's text. */
  save(): Promise<void> {
    this.#cancelTimer()
    if (this.#queued) return this.#queued
    const save = async (): Promise<void> => {
      this.#queued = undefined
      const version = this.#version
      try {
        await writeStoreFile(this.#deps.path, this.content.toJson())
      } catch (error) {
        throw new Error(toIoText(error), { cause: error })
      }
      this.#savedVersion = Math.max(this.#savedVersion, version)
    }
    const saved = (this.#queued = this.#saving.then(save))
    this.#saving = saved.catch(() => {})
    return saved
  }

  /** Saves changes that are not saved yet. An error is logged, because no call waits for this save. */
  async flush(): Promise<void> {
    this.#cancelTimer()
    await this.#saving
    if (this.#version === this.#savedVersion) return
    try {
      await this.save()
    } catch (err) {
      this.#deps.app.log.error({ err, store: this.#deps.name }, 'Store was not saved')
    }
  }

  /** @param resources - those of a frontend; any frontend if left out */
  isHeldBy(resources?: Resources): boolean {
    return resources ? this.#holders.has(resources) : this.#holders.size > 0
  }

  /** Returns the number by which a frontend holds this store. @throws {BusError} Overloaded, or Disconnected if the frontend is gone */
  hold(resources: Resources, label: string): number {
    const held = this.#holders.get(resources)
    if (held) return held.rid
    const handle = new StoreHandle(this, label, () => this.#release(resources))
    this.#holders.set(resources, handle)
    try {
      handle.rid = resources.add(handle)
      // The guest takes 0 for no store.
      if (handle.rid === 0) {
        handle.rid = resources.add(handle)
        resources.take(0)
      }
    } catch (error) {
      void this.#release(resources)
      throw error
    }
    return handle.rid
  }

  /** Makes the number of a frontend invalid. */
  forget(resources: Resources): void {
    const held = this.#holders.get(resources)
    this.#holders.delete(resources)
    if (held) forgetResource(resources, held.rid)
  }

  async #release(resources: Resources): Promise<void> {
    if (this.#holders.delete(resources) && this.#holders.size === 0) await this.#deps.onReleased()
  }

  #notify(change: Change): void {
    const { app, name } = this.#deps
    for (const { rid, label } of this.#holders.values()) {
      app.emitTo(label, 'store://change', { path: name, resourceId: rid, ...change })
    }
  }

  #schedule(delay: number): void {
    const now = performance.now()
    if (this.#timer === undefined) this.#deadline = now + Math.max(delay, LONGEST_WAIT_MS)
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.flush(), Math.min(delay, Math.max(0, this.#deadline - now)))
  }

  #cancelTimer(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  async #readOrKeepAside(): Promise<Content | undefined> {
    const { app, path, name, maxBytes } = this.#deps
    try {
      return await readStoreFile(path, maxBytes)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      if (!(error instanceof CorruptFile)) throw new Error(toIoText(error), { cause: error })
      const file = await keepAside(path)
      app.log.error(
        { err: error, store: name, file },
        'Store is corrupt. Its file was renamed, and the defaults are used',
      )
      return undefined
    }
  }
}

/** A store as a resource of one frontend. */
export class StoreHandle {
  rid = 0
  readonly store: LoadedStore
  readonly label: string
  /** Called when the frontend closes the resource, or disconnects. */
  readonly close: () => Promise<void>

  constructor(store: LoadedStore, label: string, close: () => Promise<void>) {
    this.store = store
    this.label = label
    this.close = close
  }
}
