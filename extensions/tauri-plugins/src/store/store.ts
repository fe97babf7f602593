// The commands of @tauri-apps/plugin-store.
import { type CommandContext, type Plugin } from '@sallyport/core'
import { createPlugin } from '../definition/create-plugin.js'
import {
  type Args,
  getOptionalFlag,
  getOptionalObject,
  getOptionalText,
  getText,
  invalidArg,
} from '../definition/args.js'
import { checkLimits, MAX_DELAY_MS } from '../definition/limits.js'
import { getResource } from '../definition/resources.js'
import { toIoText } from '../io/errors.js'
import { type LoadedStore, type LoadOptions, StoreHandle } from './loaded-store.js'
import { Stores } from './stores.js'

/** Options of `store`. */
export interface StoreOptions {
  /**
   * Which frontends share stores. `'label'`: none, each label has a directory of its own below `$APPDATA/stores`. `'app'`: all, in
   * `$APPDATA`, as in Tauri. A function returns the name of the directory for a label, so labels with the same name share it.
   *
   * @default 'label'
   */
  stores?: 'label' | 'app' | ((label: string) => string)
  /** An absolute path instead of `$APPDATA`, which needs the bus's `identifier`. */
  directory?: string
  /**
   * Bytes of one store.
   *
   * @default 4194304
   */
  maxBytes?: number
}

const MAX_BYTES = 4 * 1024 * 1024
const MAX_PATH = 512
const MAX_KEY = 4096
const AUTO_SAVE_MS = 100

/**
 * Returns Tauri's plugin `store`: settings as JSON files. A frontend cannot leave its directory. Changes are reported only to frontends that
 * hold the store. Unsaved changes are saved when the last frontend closes it.
 *
 * @throws {TypeError} unless `maxBytes` is a positive integer
 */
export function store({ stores = 'label', directory, maxBytes = MAX_BYTES }: StoreOptions = {}): Plugin<'store'> {
  checkLimits('store', { maxBytes })
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
