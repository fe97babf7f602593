// A bus for a test: core in the thread of the test, one client, fakes for commands and a record of their calls.
import type { AnyClient } from '@sallyport/frontend/internal'
import { BusError, throwAs } from '@sallyport/protocol/internal/errors'
import { isAsyncIterable, isError, isPlainObject, isThenable } from '@sallyport/protocol/internal/util'
import type { toCommandIdentity } from '../acl/identifier.js'
import type { Capability } from '../acl/types.js'
import type { Middleware } from '../api/app.js'
import type { AnyCommand, Commands, CoreDefinition, Plugin } from '../api/define.js'
import type { Bus } from '../host/bus.js'
import type { BusOptions, ConnectionOptions } from '../options/types.js'
import { anyObject, check } from '../shared/validate.js'

/** Fakes by the name that is called: `greet`, `plugin:fs|read_text_file`. Each is a command, an error that it fails with, or its result. */
export type Fakes = Readonly<Record<string, AnyCommand | Error | object | string | number | boolean | null | undefined>>

/** Returns the definition with fakes added, or instead of its commands. @throws {BusError} InvalidParams */
function withFakes(base: CoreDefinition, fakes: Fakes): CoreDefinition {
  const commands: Record<string, AnyCommand> = { ...base.commands }
  const plugins = new Map<string, Plugin>((base.plugins ?? []).map(plugin => [plugin.name, plugin]))
  for (const [name, fake] of Object.entries(fakes)) {
    const [, pluginName, command] = /^plugin:([^|]*)\|(.+)$/.exec(name) ?? []
    if (pluginName === undefined || command === undefined) commands[name] = toCommand(fake)
    else {
      const plugin = plugins.get(pluginName)
      const pluginCommands: Commands = { ...plugin?.commands, [command]: toCommand(fake) }
      plugins.set(pluginName, { ...plugin, name: pluginName, commands: pluginCommands })
    }
  }
  return { ...base, commands, plugins: [...plugins.values()] }
}

function toCommand(fake: Fakes[string]): AnyCommand {
  if (typeof fake === 'function' || Object(fake).kind === 'command') return fake as AnyCommand
  if (isThenable(fake)) throw new BusError('InvalidParams', 'createTestBus: a fake is a promise: `await` it')
  if (isError(fake)) return () => Promise.reject(fake)
  return () => fake
}

/** A call that a test bus recorded. */
export interface RecordedCall {
  /** The label of the frontend that called. */
  readonly label: string
  /** The command's name. */
  readonly command: string
  /** A copy of the arguments. Channels, and other values that cannot be copied, are the same objects. */
  readonly args: unknown
  /** How far the call is. */
  readonly status: 'running' | 'succeeded' | 'failed'
  /** A copy of the result, unless it is a stream. */
  readonly result?: unknown
  /** The error that the command threw. */
  readonly error?: unknown
}

function record(calls: RecordedCall[]): Middleware {
  return async ({ command, args, ctx }, next) => {
    const index = calls.length
    const call = { label: ctx.label, command, args: copyValue(args) }
    calls.push({ ...call, status: 'running' })
    try {
      const result = await next()
      calls[index] = { ...call, status: 'succeeded', ...(!isAsyncIterable(result) && { result: copyValue(result) }) }
      return result
    } catch (error) {
      calls[index] = { ...call, status: 'failed', error }
      throw error
    }
  }
}

/** Keeps what cannot be copied, such as a channel. Copies by `structuredClone` can be of another realm than the test's, as under Jest. */
function copyValue(value: unknown, copies = new Map<unknown, unknown>()): unknown {
  if (typeof value !== 'object' || value === null || copies.has(value)) return copies.get(value) ?? value
  try {
    if (!Array.isArray(value) && !isPlainObject(value)) return structuredClone(value)
    const copy = (Array.isArray(value) ? [] : {}) as Record<string, unknown>
    copies.set(value, copy)
    for (const [name, member] of Object.entries(value)) copy[name] = copyValue(member, copies)
    return copy
  } catch {
    return value
  }
}

/** Options of `createBus`, but `log` is `false` by default. */
export interface TestBusOptions extends Omit<BusOptions, 'core'> {
  /** The real definition; it runs in this thread. */
  core?: CoreDefinition
  /** Fakes, in addition to its commands or instead of them: functions, errors and fixed results. */
  commands?: Fakes
  /** The `capabilities` of `createBus`. Without them and without a project, every frontend may call every command, whatever its `allow`: pass `[]` to test that. */
  capabilities?: NonNullable<BusOptions['capabilities']>
  /** The label of the client. @default 'main' */
  label?: string
  /** Options of the client. */
  connection?: ConnectionOptions
}

/** A bus for a test, with one client and a record of calls. */
export interface TestBus extends AsyncDisposable {
  /** The bus itself. */
  readonly bus: Bus
  /** A client with the API of a frontend: `invoke`, `listen`, `stream`, … Further ones: `bus.connect(label)`. */
  readonly client: AnyClient
  /** Returns the calls of commands in order: all, or those of one command. */
  calls(command?: string): readonly RecordedCall[]
  /** Closes the bus. */
  close(): Promise<void>
}

/**
 * Creates a bus whose core runs in this thread, with a client that is checked like any frontend.
 *
 * @throws {BusError} errors of `createBus`
 * @example
 * const { client, calls, close } = await createTestBus({ commands: { greet: 'Hello!' } })
 * expect(await client.invoke('greet', { name: 'World' })).toBe('Hello!')
 * expect(calls('greet')).toMatchObject([{ label: 'main', args: { name: 'World' } }])
 * await close()
 */
export async function createTestBus(options: TestBusOptions = {}): Promise<TestBus> {
  check('createTestBus: its options', anyObject, options)
  const { core: base = {}, commands = {}, label = 'main', connection = {}, ...rest } = options
  for (const [name, value] of Object.entries({ core: base, commands, connection })) {
    check(`createTestBus: ${name}`, anyObject, value)
  }
  const { startBus, toCommandIdentity } = await import('../host/start-bus.js')
  const recorded: RecordedCall[] = []
  const definition = withFakes(base, commands)
  const isProject = typeof rest.config === 'string' || rest.config instanceof URL
  const isOpen = !isProject && rest.capabilities === undefined
  const open = isOpen && { capabilities: [allowEverything(definition, toCommandIdentity)] }
  const core: CoreDefinition = { ...definition, use: [record(recorded), ...(definition.use ?? [])] }
  const starting = startBus({ log: false, ...rest, ...open, core })
  const { bus, releaseEvents } = await starting.catch(throwAs('createBus:', 'createTestBus:'))
  const close = (): Promise<void> => bus.close()
  try {
    const client = await bus
      .connect(label, connection)
      .catch(throwAs('bus.connect: its', 'createTestBus: its'))
      .catch(throwAs('bus.connect:', 'createTestBus: connection:'))
    void releaseEvents()
    const calls: TestBus['calls'] = command =>
      recorded.filter(call => command === undefined || call.command === command)
    return { bus, client, calls, close, [Symbol.asyncDispose]: close }
  } catch (error) {
    await close()
    throw error
  }
}

/** @param getIdentity - passed in since its module is loaded later */
function allowEverything(
  { commands: appCommands, plugins = [] }: CoreDefinition,
  getIdentity: typeof toCommandIdentity,
): Capability {
  const permissions = [{ commands: appCommands, name: undefined }, ...plugins].flatMap(({ commands = {}, name }) =>
    Object.keys(commands).map(command => getIdentity(command, name).allow),
  )
  return { identifier: 'everything', windows: ['*'], permissions: ['core:default', ...permissions] }
}
