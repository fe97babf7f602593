// Tauri's core plugins, as far as they make sense without a GUI: the built-in commands of each, by name.
import { describeName, describeThrown } from '@sallyport/protocol/internal/errors'
import { isCount, isTexts } from '@sallyport/protocol/internal/util'
import { checkEventName, EVENT_NAME_RULE, type EventTarget, toEventTarget } from '@sallyport/protocol/internal/message'
import { MAX_PATH_LENGTH, MAX_PATHS } from '@sallyport/protocol/internal/wire'
import { getPermissions } from '../acl/identifier.js'
import type { Resources } from '../api/resources.js'
import type { AppInfo } from '../contract/host-core.js'
import { checkNotReserved, type EventRouter } from '../events/router.js'
import * as paths from '@sallyport/paths/internal/api'
import {
  getDirectoryName,
  type PathEnvironment,
  type PathResolver,
  toPathPlatform,
} from '@sallyport/paths/internal/api'
import { invalidArgument, whyMissing } from '../api/arguments.js'
import { IncomingCall, type RunnableCommand } from '../rpc/call-table.js'
import { ChannelHandle } from '../rpc/channels.js'

/** The version of Tauri whose IPC this is, for `@tauri-apps/api` and plugins. */
const TAURI_VERSION = '2.12.5'

/** Commands of one plugin by name: `join` of `path` is `plugin:path|join`, allowed by `core:path:allow-join`. */
type PluginCommands = Readonly<Record<string, (args: Arguments, call: IncomingCall) => unknown>>

interface CoreCommandDeps {
  router: EventRouter
  appInfo: AppInfo
  resources: Resources
  path: PathResolver
  platform: PathEnvironment['platform']
  labels: () => readonly string[]
}

export function createCoreCommands(deps: CoreCommandDeps): RunnableCommand[] {
  const { labels, resources: appResources } = deps
  const plugins: Readonly<Record<string, PluginCommands>> = {
    event: createEventCommands(deps.router),
    path: createPathCommands(deps.path, toPathPlatform(deps.platform)),
    app: createAppCommands(deps.appInfo),
    resources: {
      // Resources of the app are searched if the caller has no such resource.
      close: async (args, { resources }) => {
        const rid = args.getCount('rid')
        await (appResources.has(rid) && !resources.has(rid) ? appResources : resources).close(rid)
      },
    },
    // Each frontend is one window with one webview, both with its label.
    window: { get_all_windows: () => labels() },
    webview: { get_all_webviews: () => labels().map(label => ({ windowLabel: label, label })) },
  }
  return Object.entries(plugins).flatMap(([plugin, commands]) =>
    Object.entries(commands).map(([name, run]): RunnableCommand => {
      const method = `plugin:${plugin}|${name}`
      const permissions = getPermissions(name, `core:${plugin}`)
      const getArguments = (args: unknown): Arguments => new Arguments(method, args as Arguments['values'])
      return { method, owner: 'core', ...permissions, run: (args, call) => run(getArguments(args), call) }
    }),
  )
}

/** The commands with which frontends listen and emit. Every frontend has them unless a capability denies them. */
const createEventCommands = (router: EventRouter): PluginCommands => ({
  listen(args, call) {
    const target = getTarget(args, { kind: 'Any' })
    return withEvent(args, event => router.listen(event, target, IncomingCall.getSubscriber(call)))
  },
  unlisten(args, call) {
    router.unlisten(args.getString('event'), args.getCount('eventId'), IncomingCall.getSubscriber(call))
  },
  emit(args, call) {
    checkEmitter(args, call)
    withEvent(args, event => router.emit(event, args.values['payload'] ?? null))
  },
  emit_to(args, call) {
    checkEmitter(args, call)
    const target = getTarget(args)
    withEvent(args, event => router.emitTo(target, event, args.values['payload'] ?? null))
  },
})

function checkEmitter({ values: { event } }: Arguments, call: IncomingCall): void {
  const subscriber = IncomingCall.getSubscriber(call)
  subscriber.emitted?.(event)
  if (subscriber.label !== undefined) checkNotReserved(event)
}

function getTarget({ method, values }: Arguments, usual?: EventTarget): EventTarget {
  const target = values['target'] ?? usual
  if (target === undefined) throw invalidArgument(method, 'target', whyMissing(method, 'target', values))
  try {
    return toEventTarget(target)
  } catch (error) {
    throw invalidArgument(method, 'target', describeThrown(error))
  }
}

/** Runs an action of the router, which checks the event's name. An error about the name gets Tauri's text. */
function withEvent<T>(args: Arguments, act: (event: unknown) => T): T {
  try {
    return act(args.values['event'])
  } catch (error) {
    const event = args.getString('event')
    try {
      checkEventName(event)
    } catch {
      throw invalidArgument(args.method, 'event', `${EVENT_NAME_RULE}.`)
    }
    throw error
  }
}

const createPathCommands = (resolver: PathResolver, platform: paths.PathPlatform): PluginCommands => ({
  resolve_directory(args) {
    const directory = args.getCount('directory')
    const path = args.values['path'] == null ? undefined : args.getPath('path')
    if (getDirectoryName(directory)) return resolver.resolve(directory, path)
    throw invalidArgument(args.method, 'directory', `invalid value: ${directory}, expected one of 1 to 23`)
  },
  resolve: args => paths.resolve(args.getPaths('paths'), platform, process.cwd()),
  normalize: args => paths.normalize(args.getPath('path'), platform),
  join: args => paths.join(args.getPaths('paths'), platform),
  dirname: args => paths.dirname(args.getPath('path'), platform),
  extname: args => paths.extname(args.getPath('path'), platform),
  basename: args => paths.basename(args.getPath('path'), args.getOptionalString('ext'), platform),
  is_absolute: args => paths.isAbsolute(args.getPath('path'), platform),
})

const createAppCommands = ({ productName, version, identifier }: AppInfo): PluginCommands => ({
  name: () => productName ?? '',
  version: () => version ?? '',
  identifier: () => identifier ?? '',
  tauri_version: () => TAURI_VERSION,
  // There is no bundle. Tauri also answers null during development.
  bundle_type: () => null,
  supports_multiple_windows: () => true,
  // For `onBackButtonPress`. There is no such button, so the channel ends immediately.
  register_listener(args) {
    args.getString('event')
    const { handler } = args.values
    if (!(handler instanceof ChannelHandle)) {
      const why = 'invalid channel value, expected a string in the `__CHANNEL__:ID` format'
      throw invalidArgument(args.method, 'handler', why)
    }
    handler.end()
    return null
  },
  remove_listener(args) {
    args.getString('event')
    args.getCount('channelId')
    return null
  },
})

class Arguments {
  constructor(
    readonly method: string,
    readonly values: Readonly<Record<string, unknown>>,
  ) {}

  getString(key: string): string {
    return this.#get(key, 'a string', value => typeof value === 'string')
  }

  getOptionalString(key: string): string | undefined {
    return this.values[key] == null ? undefined : this.getString(key)
  }

  getPath(key: string): string {
    return this.#limitPaths(key, [this.getString(key)])[0]!
  }

  getPaths(key: string): readonly string[] {
    return this.#limitPaths(key, this.#get(key, 'a sequence of strings', isTexts))
  }

  /** Paths that are too long would occupy core for seconds. */
  #limitPaths(key: string, paths: readonly string[]): readonly string[] {
    const length = paths.reduce((sum, path) => sum + path.length, 0)
    if (paths.length <= MAX_PATHS && length <= MAX_PATH_LENGTH) return paths
    throw invalidArgument(this.method, key, `more than ${MAX_PATHS} paths or ${MAX_PATH_LENGTH} characters`)
  }

  getCount(key: string): number {
    return this.#get(key, 'u32', isCount)
  }

  #get<T>(key: string, expected: string, isExpected: (value: unknown) => value is T): T {
    const value = this.values[key]
    if (isExpected(value)) return value
    const missing = value === undefined && whyMissing(this.method, key, this.values)
    throw invalidArgument(this.method, key, missing || `invalid type: ${describeType(value)}, expected ${expected}`)
  }
}

function describeType(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'sequence'
  if (typeof value === 'string') return `string ${describeName(value)}`
  if (typeof value === 'number') return `${Number.isInteger(value) ? 'integer' : 'floating point'} \`${value}\``
  return typeof value === 'boolean' ? `boolean \`${value}\`` : 'map'
}
