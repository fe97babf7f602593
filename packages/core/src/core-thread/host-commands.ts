// The commands behind methods of `Bus`, and the plugins that the host adds at run time.
import { BusError, describeCommand, describeName, isBusError } from '@sallyport/protocol/internal/errors'
import { STREAM_HEADER } from '@sallyport/protocol/internal/message'
import { ReceivedStream } from '@sallyport/protocol/internal/rpc'
import type { Authority } from '../acl/authority.js'
import type { AllowList, CommandIdentity, PermissionFileSource } from '../acl/types.js'
import { getMovableBuffers, markBuffers } from '../api/transfer.js'
import { createNoStreamError } from '../api/frontend-proxy.js'
import {
  DEFAULT_TIMEOUT_HEADER,
  FRONTEND_HEADER,
  HOST_METHOD,
  type HostPlugin,
  RUN_FUNCTION_METHOD,
} from '../contract/host-core.js'
import { type CommandRegistry, type IncomingCall, isStream, type RunnableCommand } from '../rpc/call-table.js'
import type { Sessions } from '../rpc/sessions.js'
import { getPluginFiles, toCommandIdentity } from '../acl/identifier.js'
import type { CommandDescription, CoreDefinition } from '../api/define.js'
import { composeRun } from '../rpc/call-phases.js'
import { checkCommandName, checkPermission, checkPluginName } from '../rpc/registry.js'

const create = (method: string, run: RunnableCommand['run']): [string, RunnableCommand] => [
  method,
  { owner: 'core', allow: '', deny: '', method, run },
]

/** Frontends do not have these commands: to frontends their names are unknown. */
export function createHostCommands(authority: Authority, sessions: Sessions, plugins: HostPlugins): CommandRegistry {
  return new Map([
    create(HOST_METHOD.call, (args, call) => runFrontendCall(sessions, args, call)),
    create(HOST_METHOD.stream, (args, call) => runFrontendCall(sessions, args, call)),
    create(HOST_METHOD.labels, () => sessions.labels),
    create(HOST_METHOD.describe, args => {
      const { label, allow } = args as { label: unknown; allow?: AllowList }
      return plugins.describe(String(label), allow)
    }),
    create(HOST_METHOD.addPlugin, args => plugins.add((args as { plugin: HostPlugin }).plugin)),
    create(HOST_METHOD.removePlugin, args => plugins.remove(String((args as { name: unknown }).name))),
    create(HOST_METHOD.ownRights, args => authority.listOwnRights(String((args as { label: unknown }).label))),
    create(HOST_METHOD.addCapability, args => {
      const { capability } = args as { capability: unknown }
      authority.add({ value: capability, from: 'bus.addCapability', isOption: true })
    }),
    create(HOST_METHOD.removeCapability, args => {
      authority.remove(String((args as { identifier: unknown }).identifier))
    }),
  ])
}

/** Creates the command of one run, with which it calls the functions that the host has for it. @param functions - their name in the host */
export const createRunCommand = (sessions: Sessions, functions: string): CommandRegistry =>
  new Map([
    create(RUN_FUNCTION_METHOD, async (args, call) => {
      try {
        return await sessions.callHost(functions, args, { signal: call.signal }, false)
      } catch (error) {
        if (!isBusError(error)) throw error
        const { run, data }: { run?: unknown; data?: unknown } = Object(error.data)
        // Only the host knows the name. Any other error with this reason is that of another run.
        if (error.reason === 'Interrupted' && run === functions) call.interrupt(data)
        const name = describeName(String((args as { name: unknown }).name))
        error.message = error.message.replace(describeCommand(functions), `function ${name}`)
        throw error
      }
    }),
  ])

/** Calls a function of a frontend for the host. Bytes pass through core without a copy, in both directions. */
async function runFrontendCall(sessions: Sessions, args: unknown, call: IncomingCall): Promise<unknown> {
  const { request, signal, method } = call
  const { label = '', name = '', traceparent, tracestate, [STREAM_HEADER]: stream } = request.headers
  const { [DEFAULT_TIMEOUT_HEADER]: timeout, [FRONTEND_HEADER]: frontend } = request.headers
  const context = traceparent === undefined ? undefined : { traceparent, tracestate }
  const options = { signal, transfer: getMovableBuffers(args) }
  const result = await sessions.call(
    label,
    frontend === undefined ? undefined : Number(frontend),
    name,
    args,
    options,
    context,
    timeout === undefined ? undefined : Number(timeout),
    stream !== undefined,
  )
  if (result instanceof ReceivedStream) return moveValues(result)
  if (method === HOST_METHOD.stream) throw createNoStreamError(name)
  return markMovable(result)
}

const markMovable = (value: unknown): unknown => markBuffers(value, getMovableBuffers(value))

const moveValues = (stream: ReceivedStream): AsyncIterable<unknown> => ({
  [Symbol.asyncIterator]: () => ({
    next: async () => {
      const { done, value } = await stream.next()
      return done ? { done, value } : { done: false, value: markMovable(value) }
    },
    return: () => stream.return(),
  }),
})

interface HostPluginsDeps {
  definition: CoreDefinition
  registry: Map<string, RunnableCommand>
  sessions: Sessions
  /** Those that the host had added to the core before. They are added to the registry at once. */
  plugins: readonly HostPlugin[] | undefined
  /** Called only for later plugins, because rights depend on the commands of the first ones. */
  getAuthority(): Authority
}

/**
 * Plugins of the host, whose commands run there: core checks rights, quotas and middleware as for any command, and then calls the function that
 * the host exposes by the command's method.
 */
export class HostPlugins {
  readonly #deps: HostPluginsDeps
  readonly #plugins = new Map<
    string,
    { files: readonly PermissionFileSource[]; commands: readonly RunnableCommand[] }
  >()

  constructor(deps: HostPluginsDeps) {
    this.#deps = deps
    for (const plugin of deps.plugins ?? []) this.#add(plugin)
  }

  get commands(): Iterable<CommandIdentity> {
    return this.#deps.registry.values()
  }

  get pluginFiles(): readonly PermissionFileSource[] {
    return [...getPluginFiles(this.#deps.definition), ...[...this.#plugins.values()].flatMap(({ files }) => files)]
  }

  /** Adds a plugin for all sessions. An error changes nothing. @throws {BusError} InvalidParams */
  add(plugin: HostPlugin): void {
    this.#add(plugin)
    try {
      this.#updateRights()
    } catch (error) {
      this.#forget(plugin.name)
      throw error
    }
  }

  /** Removes a plugin. Its running calls go on. @throws {BusError} InvalidParams */
  remove(name: string): void {
    if (!this.#plugins.has(name))
      throw new BusError('InvalidParams', `bus.removePlugin: no plugin ${JSON.stringify(name)} was added`)
    this.#forget(name)
    this.#updateRights()
  }

  #updateRights(): void {
    this.#deps.getAuthority().replaceCommands(this.commands, this.pluginFiles)
  }

  /** Lists the commands of the app and of plugins that a label may call, or could with `allow`. @throws {BusError} InvalidParams */
  describe(label: string, allow?: AllowList): CommandDescription[] {
    const authority = this.#deps.getAuthority()
    const permits = allow ? authority.getPermits(label, allow) : authority.getPermitsOfLatest(label)
    const isShown = ({ owner, method }: RunnableCommand): boolean => owner !== 'core' && permits.permits(method)
    return [...this.#deps.registry.values()]
      .filter(isShown)
      .map(({ method, allow, describe }) => ({ command: method, permission: allow, ...describe?.() }))
      .toSorted((a, b) => (a.command < b.command ? -1 : 1))
  }

  #add({ name, commands, permissions }: HostPlugin): void {
    const isDefined = this.#deps.definition.plugins?.some(plugin => plugin.name === name)
    checkPluginName(name, isDefined || this.#plugins.has(name))
    const owners = new Map<string, string>()
    const runnable = Object.entries(commands).map(([command, content]): RunnableCommand => {
      const identity = toCommandIdentity(command, name)
      const { method } = identity
      checkCommandName(command, method)
      checkPermission(owners, identity)
      const run = composeRun(method, this.#deps.definition.use ?? [], undefined, (args, call) =>
        this.#deps.sessions.callHost(method, args, { signal: call.signal }, isStream(call)),
      )
      return { ...identity, run, describe: () => content }
    })
    for (const command of runnable) this.#deps.registry.set(command.method, command)
    const files = getPluginFiles({ plugins: [{ name, permissions }] })
    this.#plugins.set(name, { files, commands: runnable })
  }

  #forget(name: string): void {
    for (const { method } of this.#plugins.get(name)!.commands) this.#deps.registry.delete(method)
    this.#plugins.delete(name)
  }
}
