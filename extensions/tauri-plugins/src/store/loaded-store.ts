// A store in memory: its content, the frontends that hold it, and when it is saved.
import type { App, Resources } from '@sallyport/core'
import { toIoText } from '../shared/io.js'
import { forgetResource } from '../shared/plugin.js'
import { type Content, CorruptFile, keepAside, readStoreFile, type StorePath, writeStoreFile } from './file.js'

export interface LoadOptions {
  readonly defaults: Content | undefined
  /** Milliseconds after the first change that is not saved; `undefined`: never. */
  readonly autoSave: number | undefined
  readonly createNew: boolean
  readonly overrideDefaults: boolean
}

export interface StoreDeps {
  readonly app: App
  readonly path: StorePath
  readonly name: string
  readonly maxBytes: number
  onReleased(): Promise<void>
}

export class LoadedStore {
  readonly content: StoreContent
  readonly #deps: StoreDeps
  readonly #holders = new Map<Resources, StoreHandle>()
  #options: LoadOptions = { defaults: undefined, autoSave: undefined, createNew: false, overrideDefaults: false }
  #timer: NodeJS.Timeout | undefined
  #version = 0
  #savedVersion = 0
  /** The last of the saves, which run one after another. */
  #saving: Promise<void> = Promise.resolve()
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
    // oxlint-disable-next-line sallyport/no-own-timers -- `later` would let a program end before it has saved
    if (autoSave !== undefined) this.#timer ??= setTimeout(() => void this.flush(), autoSave)
  }

  reset(): Promise<void> {
    return this.change(content => content.replace(this.#options.defaults ?? new Map()))
  }

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

export class StoreHandle {
  rid = 0

  constructor(
    readonly store: LoadedStore,
    readonly label: string,
    readonly close: () => Promise<void>,
  ) {}
}

/** One change. `exists` is false if the key was removed. */
export interface Change {
  readonly key: string
  readonly value: unknown
  readonly exists: boolean
}

interface Entry {
  readonly value: unknown
  readonly json: string
}

/** Each key of a store that is replaced is an event. */
const MAX_KEYS = 10_000

/** Values by key, as JSON would keep them. */
export class StoreContent {
  readonly #entries = new Map<string, Entry>()
  readonly #maxBytes: number
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get size(): number {
    return this.#entries.size
  }

  get keys(): string[] {
    return [...this.#entries.keys()]
  }

  get entries(): [string, unknown][] {
    return Array.from(this.#entries, ([key, { value }]) => [key, value])
  }

  has(key: string): boolean {
    return this.#entries.has(key)
  }

  get(key: string): unknown {
    return this.#entries.get(key)?.value ?? null
  }

  /** @throws {Error} if the value cannot be serialized, or the content would exceed a limit */
  set(key: string, value: unknown): Change {
    if (this.size >= MAX_KEYS && !this.has(key))
      throw new Error(`Failed to serialize store. It would have more than ${MAX_KEYS} keys.`)
    const json = JSON.stringify(value ?? null)
    const bytes = this.#bytes + getBytes(key, json) - this.#getBytes(key)
    if (bytes > this.#maxBytes) {
      throw new Error(`Failed to serialize store. It would have more than ${this.#maxBytes} bytes.`)
    }
    const copy: unknown = JSON.parse(json)
    this.#entries.set(key, { value: copy, json })
    this.#bytes = bytes
    return { key, value: copy, exists: true }
  }

  delete(key: string): Change | undefined {
    const bytes = this.#getBytes(key)
    if (!this.#entries.delete(key)) return undefined
    this.#bytes -= bytes
    return { key, value: null, exists: false }
  }

  merge(content: Content): void {
    for (const [key, value] of content) this.set(key, value)
  }

  replace(content: Content): Change[] {
    const changes: (Change | undefined)[] = this.keys.filter(key => !content.has(key)).map(key => this.delete(key))
    for (const [key, value] of content) {
      const json = this.#entries.get(key)?.json
      const change = this.set(key, value)
      if (this.#entries.get(key)!.json !== json) changes.push(change)
    }
    return changes.filter(change => change !== undefined)
  }

  /** Returns the file's text. Indentation could make it longer than what can be read again. */
  toJson(): string {
    const content = Object.fromEntries(this.entries)
    const text = JSON.stringify(content, null, 2)
    return Buffer.byteLength(text) > this.#maxBytes ? JSON.stringify(content) : text
  }

  #getBytes(key: string): number {
    const entry = this.#entries.get(key)
    return entry ? getBytes(key, entry.json) : 0
  }
}

/** Bytes in memory and in the file, with an allowance for each entry. */
const getBytes = (key: string, json: string): number =>
  Buffer.byteLength(JSON.stringify(key)) + Buffer.byteLength(json) + 16
