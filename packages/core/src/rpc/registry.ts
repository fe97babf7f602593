// All commands of a core, ready to run, by the name that they are called by, and the pool of threads (piscina) for those that would keep core
// busy. It is loaded with the first such call.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import {
  BusError,
  type CausedErrorObject,
  describeCommand,
  describeName,
  fromCausedErrorObject,
  toBusError,
} from '@sallyport/protocol/internal/errors'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { CORE_COMMANDS, isGuiPlugin, toCommandIdentity } from '../acl/identifier.js'
import type { CommandIdentity } from '../acl/types.js'
import { type AnyCommand, type Commands, type CoreDefinition, toCommandContent } from '../api/define.js'
import { composeRun } from './call-phases.js'
import type { IncomingCall, Runnable, RunnableCommand } from './call-table.js'
import type { ResourceLimits } from 'node:worker_threads'
import { holdsBytes } from '@sallyport/protocol/internal/message'
import { ReceivedStream } from '@sallyport/protocol/internal/rpc'
import { isError } from '@sallyport/protocol/internal/util'
import type { Logger } from 'pino'
import type { Piscina } from 'piscina'
import { holdsInstance } from '../api/frontend-proxy.js'
import { transfer } from '../api/transfer.js'
import { getV8Limits, limitHeap } from '../shared/heap-limit.js'
import { ChannelHandle } from './channels.js'

const COMMAND_NAME_RULE = 'Command name must include only alphanumeric characters, `-`, `/`, `:`, `_` and `.`'
const COMMAND_NAME = /^[\p{Alphabetic}\p{N}\-/:_.]*$/u

/** @throws {BusError} `InvalidParams`, which names the command or plugin that is defined wrongly */
export function createRegistry(
  definition: CoreDefinition,
  coreCommands: readonly RunnableCommand[],
  pool: Pool,
): Map<string, RunnableCommand> {
  const registry = new Map<string, RunnableCommand>(coreCommands.map(command => [command.method, command]))
  const owners = new Map<string, string>()
  const addAll = (commands: Commands | undefined, plugin?: string): void => {
    for (const [name, command] of Object.entries(commands ?? {})) {
      if (name === '' || (plugin === undefined && /^\$\/|^plugin:/.test(name)))
        throw new BusError('InvalidParams', `${describeCommand(name)} has a name that is reserved for the bus`)
      const commandName = toCommandIdentity(name, plugin)
      const { method } = commandName
      checkCommandName(name, method)
      checkPermission(owners, commandName)
      const { schema, handler } = readCommand(method, command, pool)
      const run = composeRun(method, definition.use ?? [], schema, handler)
      registry.set(method, {
        ...commandName,
        run,
        describe: () =>
          toCommandContent(describeCommand(method), typeof command === 'function' ? { handler: command } : command),
      })
    }
  }
  addAll(definition.commands)
  const plugins = new Set<string>()
  for (const plugin of definition.plugins ?? []) {
    checkPluginName(plugin.name, plugins.has(plugin.name))
    plugins.add(plugin.name)
    addAll(plugin.commands, plugin.name)
  }
  return registry
}

/** @throws {BusError} `InvalidParams` */
export function checkCommandName(name: string, method: string): void {
  if (COMMAND_NAME.test(name)) return
  throw new BusError('InvalidParams', `${COMMAND_NAME_RULE}: got ${describeName(method)}`)
}

/**
 * Refuses two commands with one permission: what allows one of them would allow the other.
 *
 * @param owners - methods by their permissions
 * @throws {BusError} `InvalidParams`
 */
export function checkPermission(owners: Map<string, string>, { allow, method }: CommandIdentity): void {
  const other = owners.get(allow)
  owners.set(allow, method)
  if (other === undefined) return
  const names = `${describeName(other)} and ${describeName(method)}`
  throw new BusError('InvalidParams', `The commands ${names} share the permission ${allow}. Rename one of them`)
}

/**
 * Names that no plugin has. `host` and `acl` are the prefixes of `HOST_METHOD`; `expose` is reserved because hooks see answers of frontends as
 * `plugin:expose|answer`.
 */
const RESERVED_NAMES: readonly string[] = ['core', 'tauri', 'expose', 'host', 'acl']

/** @throws {BusError} `InvalidParams` */
export function checkPluginName(name: string, isTaken: boolean | undefined): void {
  const isReserved = Object.hasOwn(CORE_COMMANDS, name) && !isGuiPlugin(name)
  if (isReserved || RESERVED_NAMES.includes(name)) {
    throw new BusError('InvalidParams', `plugin uses reserved name: ${name}`)
  }
  if (!/^[a-z0-9][a-z0-9-]*$/.test(name)) {
    throw new BusError('InvalidParams', `A plugin's name must consist of a-z, 0-9 and "-": got ${JSON.stringify(name)}`)
  }
  if (isTaken) throw new BusError('InvalidParams', `There are two plugins named ${name}. Rename one of them`)
}

type Command = { schema?: StandardSchemaV1 | undefined; handler: Runnable['run'] }

/** @throws {BusError} `InvalidParams` */
function readCommand(method: string, command: AnyCommand, pool: Pool): Command {
  if (typeof command === 'function') return { handler: command }
  const { kind, schema, handler, thread } = command ?? {}
  const run = handler ?? (thread && ((args: unknown, ctx: IncomingCall) => pool.run(method, thread, args, ctx.signal)))
  if (kind !== 'command' || typeof run !== 'function') {
    throw new BusError('InvalidParams', `${describeCommand(method)} must be a function, or made with command()`)
  }
  if (thread?.protocol === 'file:' && !existsSync(thread)) {
    throw new BusError('InvalidParams', `${describeCommand(method)}: thread: there is no file ${fileURLToPath(thread)}`)
  }
  return { schema, handler: run }
}

export type PoolTask = { method: string; module: string; args: unknown }
export type PoolOutcome = { value: unknown } | { failure: CausedErrorObject }

export interface Pool {
  run(method: string, module: URL, args: unknown, signal: AbortSignal): Promise<unknown>
  close(): Promise<void>
}

/** Likely cause of an error that is not an `Error`: Node cannot clone its own error about a result that cannot be cloned. */
const UNCLONEABLE = 'its result may hold values that cannot be passed between threads'

const NOT_CLONEABLE = [
  [ChannelHandle, 'channel'],
  [ReceivedStream, 'stream'],
] as const

export function createPool(getLog: () => Logger, limits?: ResourceLimits): Pool {
  let loading: Promise<Piscina> | undefined

  const load = async (): Promise<Piscina> => {
    const { Piscina: PiscinaPool } = await import('piscina')
    const filename = import.meta.resolve('#pool-entry')
    const resourceLimits = getV8Limits(limits)
    const piscina = new PiscinaPool({ filename, name: 'runTask', minThreads: 0, idleTimeout: 30_000, resourceLimits })
    // Emitted for an idle thread. Without a listener it would end core.
    piscina.on('error', error => getLog().error({ err: error }, 'a thread of the pool exited'))
    piscina.on('workerCreate', ({ id }: { id: number }) => {
      const thread = piscina.threads.find(({ threadId }) => threadId === id)
      if (thread) limitHeap(thread, limits)
    })
    return piscina
  }

  const createExitError = (method: string, cause: unknown): BusError => {
    const why = isError(cause) || cause === null ? toBusError(method, cause).message : UNCLONEABLE
    const text = `The pool's thread exited while it ran ${describeCommand(method)}: ${why}`
    getLog().error({ command: method, err: cause }, 'a thread of the pool exited')
    return new BusError('Crashed', text, { cause })
  }

  return {
    async run(method, module, args, signal) {
      for (const [type, what] of NOT_CLONEABLE) {
        if (!holdsInstance(args, type)) continue
        throw new BusError('InvalidParams', `A ${what} cannot be passed to a command of the pool`)
      }
      const piscina = await (loading ??= load())
      const task: PoolTask = { method, module: module.href, args }
      // The outcome is `null` if the task threw `null` outside of its function.
      let cause: unknown = null
      const running: Promise<PoolOutcome | null> = piscina.run(task, { signal })
      const outcome = await running.catch((error: unknown) => void (cause = error))
      if (!outcome) {
        startThreadForWaiting(piscina)
        signal.throwIfAborted()
        throw createExitError(method, cause)
      }
      if ('failure' in outcome) throw fromCausedErrorObject(outcome.failure)
      // Safe, because the pool's thread no longer shares the memory.
      return holdsBytes(outcome.value) ? transfer(outcome.value as object) : outcome.value
    },
    close: async () => (await loading)?.destroy(),
  }
}

/** Submits an empty task if others wait: Piscina replaces a thread that has exited only when a task is submitted. */
function startThreadForWaiting(piscina: Piscina): void {
  if (piscina.queueSize > 0) piscina.run(undefined, { name: 'doNothing' }).catch(() => {})
}
