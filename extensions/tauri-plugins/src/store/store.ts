// The commands of @tauri-apps/plugin-store.
import { mkdir, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { App, CommandContext, Plugin } from '@sallyport/core'
import { checkOptions, getOwnName, getPathRules, isDeviceName, type OptionChecks } from '@sallyport/paths/internal'
import { foldCase } from '@sallyport/paths/internal/glob'
import { toIoText } from '../shared/io.js'
import {
  type Args,
  createPlugin,
  DIRECTORY,
  getOptionalFlag,
  getOptionalObject,
  getOptionalText,
  getResource,
  getText,
  invalidArg,
  MAX_DELAY_MS,
  POSITIVE,
  toDirectory,
} from '../shared/plugin.js'
import { LabelSlots } from '../shared/slots.js'
import { UNFINISHED } from './file.js'
import { LoadedStore, type LoadOptions, StoreHandle } from './loaded-store.js'

/** Options of `store`. */
export interface StoreOptions {
  /**
   * Which frontends share stores. `'label'`: none, each label has a directory of its own below `$APPDATA/stores`. `'app'`: all, in
   * `$APPDATA`, as in Tauri. A function returns the name of the directory for a label, so labels with the same name share it.
   * @default 'label'
   */
  stores?: 'label' | 'app' | ((label: string) => string)
  /** An absolute path or a `file:` URL instead of `$APPDATA`, which needs the bus's `identifier`. */
  directory?: string | URL
  /** Bytes of one store. @default 4194304 */
  maxBytes?: number
}

const MAX_BYTES = 4 * 1024 * 1024
const MAX_PATH = 512
const MAX_KEY = 4096
const AUTO_SAVE_MS = 100
const OPTIONS: OptionChecks<StoreOptions> = {
  stores: [
    value => value === 'label' || value === 'app' || typeof value === 'function',
    '"label", "app" or a function',
  ],
  directory: DIRECTORY,
  maxBytes: POSITIVE,
}

/**
 * Returns Tauri's plugin `store`: settings as JSON files. A frontend cannot leave its directory. Changes are reported only to frontends that
 * hold the store. Unsaved changes are saved when the last frontend closes it.
 * @throws {BusError} InvalidParams for an invalid option
 */
export function store(options: StoreOptions = {}): Plugin<'store'> {
  const { stores = 'label', maxBytes = MAX_BYTES } = checkOptions('store()', options, OPTIONS)
  const directory = toDirectory(options.directory)
  return createPlugin('store', {
    setup: app => void app.manage(Stores, new Stores(app, { stores, directory, maxBytes })),
    teardown: app => app.state(Stores).close(),
    commands: {
      load: (args, ctx) => ctx.state(Stores).load(getText(args, 'path', MAX_PATH), getLoadOptions(args), ctx),
      get_store: (args, ctx) => ctx.state(Stores).get(getText(args, 'path', MAX_PATH), ctx),
      set: (args, ctx) => {
        const key = getKey(args)
        return find(args, ctx).change(content => [content.set(key, args['value'])])
      },
      get: (args, ctx) => {
        const [key, { content }] = [getKey(args), find(args, ctx)]
        return [content.get(key), content.has(key)]
      },
      has: (args, ctx) => find(args, ctx).content.has(getKey(args)),
      delete: async (args, ctx) => {
        const [key, found] = [getKey(args), find(args, ctx)]
        const exists = found.content.has(key)
        await found.change(content => [content.delete(key)])
        return exists
      },
      clear: (args, ctx) => find(args, ctx).change(content => content.replace(new Map())),
      reset: (args, ctx) => find(args, ctx).reset(),
      keys: (args, ctx) => find(args, ctx).content.keys,
      values: (args, ctx) => find(args, ctx).content.entries.map(([, value]) => value),
      entries: (args, ctx) => find(args, ctx).content.entries,
      length: (args, ctx) => find(args, ctx).content.size,
      reload: async (args, ctx) => {
        try {
          await find(args, ctx).reload(getOptionalFlag(args, 'ignoreDefaults'))
        } catch (error) {
          throw isIoError(error) ? new Error(toIoText(error), { cause: error }) : error
        }
      },
      save: (args, ctx) => find(args, ctx).save(),
    },
  })
}

const find = (args: Args, ctx: CommandContext): LoadedStore => getResource(args, ctx, StoreHandle).store

const isIoError = (error: unknown): boolean => typeof (error as NodeJS.ErrnoException).errno === 'number'

const getKey = (args: Args): string => getText(args, 'key', MAX_KEY)

/** Guests before 2.3 send the options as arguments. */
function getLoadOptions(args: Args): LoadOptions {
  const options = { ...args, ...getOptionalObject(args, 'options') }
  for (const [name, kind] of [
    ['serializeFnName', 'Serialize'],
    ['deserializeFnName', 'Deserialize'],
  ] as const) {
    const found = getOptionalText(options, name, MAX_KEY)
    if (found !== undefined) throw new Error(`${kind} Function "${found}" not found`)
  }
  const defaults = options['defaults'] ?? undefined
  return {
    defaults: defaults === undefined ? undefined : new Map(Object.entries(getOptionalObject(options, 'defaults'))),
    autoSave: getAutoSave(options['autoSave']),
    createNew: getOptionalFlag(options, 'createNew'),
    overrideDefaults: getOptionalFlag(options, 'overrideDefaults'),
  }
}

function getAutoSave(value: unknown): number | undefined {
  if (value === false) return undefined
  if (value === undefined || value === null || value === true) return AUTO_SAVE_MS
  if (typeof value === 'number' && value >= 0) return Math.min(value, MAX_DELAY_MS)
  throw invalidArg('autoSave', 'expected false or milliseconds')
}

const MAX_NAMES = 4
const MAX_NAME_LENGTH = 100
/** Stores that one frontend can hold. */
const MAX_HELD = 32
const MAX_FILES = 256

interface StoresOptions extends Required<Pick<StoreOptions, 'stores' | 'maxBytes'>> {
  readonly directory: string | undefined
}

interface Place {
  readonly key: string
  readonly name: string
  readonly directory: string
  readonly file: string
}

class Stores {
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

  get(path: string, { label, resources }: CommandContext): Promise<number | null> {
    const { key } = this.#locate(path, label)
    return this.#queue(key, async () => this.#loaded.get(key)?.hold(resources, label) ?? null)
  }

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
