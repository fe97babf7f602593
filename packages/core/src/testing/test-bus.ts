// A bus for a test, in one line: core in the test's own thread, and one client.
import type { Client } from '@sallyport/frontend/client'
import { BusError } from '@sallyport/protocol'
import type { getPermissions } from '../acl/identifier.js'
import type { Capability } from '../acl/types.js'
import type { Middleware } from '../api/context.js'
import type { AnyCommand, Commands, CoreDefinition, Plugin } from '../api/define.js'
import type { Bus } from '../host/bus.js'
import type { ModuleLocation } from '../host/options/location.js'
import type { BusOptions, ConnectionOptions, SecurityOptions } from '../host/options/types.js'
import { anyObject, check } from '../shared/validate.js'

// Fakes in place of commands: functions, which are commands themselves, and fixed answers.

/** A command; an error, which it fails with; or what it answers. */
export type Fake = AnyCommand | Error | object | string | number | boolean | null | undefined

/** By the name that is called: `greet`, `plugin:fs|read_text_file`. */
export type Fakes = Readonly<Record<string, Fake>>

/** The definition with fakes in place of its commands, and beside them. @throws BusError `InvalidParams` */
function withFakes(base: CoreDefinition, fakes: Fakes): CoreDefinition {
  const commands: Record<string, AnyCommand> = { ...base.commands }
  const plugins = new Map<string, Plugin>((base.plugins ?? []).map(plugin => [plugin.name, plugin]))
  for (const [name, fake] of Object.entries(fakes)) {
    const [, owner, command] = /^plugin:([^|]*)\|(.+)$/.exec(name) ?? []
    if (owner === undefined || command === undefined) commands[name] = getCommand(fake)
    else {
      const plugin = plugins.get(owner)
      const more: Commands = { ...plugin?.commands, [command]: getCommand(fake) }
      plugins.set(owner, { ...plugin, name: owner, commands: more })
    }
  }
  return { ...base, commands, plugins: [...plugins.values()] }
}

function getCommand(fake: Fake): AnyCommand {
  if (typeof fake === 'function') return fake as AnyCommand
  if (typeof fake === 'object' && fake !== null && (fake as { kind?: unknown }).kind === 'command') {
    return fake as AnyCommand
  }
  if (fake instanceof Promise) throw new BusError('InvalidParams', 'createTestBus: a fake is a promise: `await` it')
  if (fake instanceof Error) {
    return () => {
      throw fake
    }
  }
  return () => fake
}

// What was called: each call that came to a command of the app or a plugin, in the order in which they came.

export interface RecordedCall {
  /** Of the frontend that called. */
  readonly label: string
  readonly command: string
  /** As they came: a copy, but for channels and what else can't be copied. */
  readonly args: unknown
  readonly status: 'running' | 'succeeded' | 'failed'
  /** Of one that has succeeded: a copy, likewise. A stream has none. */
  readonly result?: unknown
  /** Of one that has failed: what its command has thrown. */
  readonly error?: unknown
}

export interface Recorder {
  readonly record: Middleware
  /** Those of one command, or all. */
  calls(command?: string): readonly RecordedCall[]
}

function createRecorder(): Recorder {
  const calls: RecordedCall[] = []
  return {
    async record({ command, args, ctx }, next) {
      const at = calls.length
      const call = { label: ctx.label, command, args: copyValue(args) }
      calls.push({ ...call, status: 'running' })
      try {
        const result = await next()
        calls[at] = { ...call, status: 'succeeded', ...(!isStream(result) && { result: copyValue(result) }) }
        return result
      } catch (error) {
        calls[at] = { ...call, status: 'failed', error }
        throw error
      }
    },
    calls: command => calls.filter(call => command === undefined || call.command === command),
  }
}

const isStream = (result: unknown): boolean =>
  typeof result === 'object' && result !== null && Symbol.asyncIterator in result

/** Of each member by itself: a channel, which can't be copied, is one of them. */
function copyValue(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  try {
    return structuredClone(value)
  } catch {
    if (Object.getPrototypeOf(value) !== Object.prototype) return value
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, tried(member)]))
  }
}

function tried(member: unknown): unknown {
  try {
    return structuredClone(member)
  } catch {
    return member
  }
}

type PermissionsOf = typeof getPermissions

/** And every option of `createBus`, but that `log` is `false` by default. */
export interface TestBusOptions extends Omit<BusOptions, 'core' | 'app'> {
  /** The real definition. What it does is done in this thread. */
  core?: CoreDefinition
  /** Fakes in place of its commands, or beside them: functions, errors to fail with, and fixed answers. */
  commands?: Fakes
  /** Who may call what, as in `createBus`. Without them and without `config`, everybody may call every command. */
  capabilities?: NonNullable<SecurityOptions['capabilities']>
  /** A Tauri isolation app: each call and event passes its hook. */
  hook?: ModuleLocation
  /** Of the client; `main` by default. */
  label?: string
  /** Of the client too. */
  connection?: ConnectionOptions
}

export interface TestBus extends AsyncDisposable {
  readonly bus: Bus
  /** What a frontend has: `invoke`, `listen`, `stream`, … More of them: `bus.connect(label)`. */
  readonly client: Client
  /** What came to commands, in order: all calls, or those of one command. */
  calls(command?: string): readonly RecordedCall[]
  close(): Promise<void>
}

/**
 * A bus whose core runs in this thread, with a client that is vetted like any frontend.
 *
 * @throws BusError what `createBus` throws
 * @example
 * const { client, calls, close } = await createTestBus({ commands: { greet: 'Hello!' } })
 * expect(await client.invoke('greet', { name: 'World' })).toBe('Hello!')
 * expect(calls('greet')).toMatchObject([{ label: 'main', args: { name: 'World' } }])
 * await close()
 */
export async function createTestBus(options: TestBusOptions = {}): Promise<TestBus> {
  check('createTestBus: its options', anyObject, options)
  const { core: base = {}, commands = {}, capabilities, hook, label = 'main', connection, ...rest } = options
  check('createTestBus: commands', anyObject, commands)
  const { assemble, getPermissions } = await import('../host/assemble.js')
  const recorder = createRecorder()
  const definition = withFakes(base, commands)
  const open = capabilities === undefined && rest.config === undefined
  const security: SecurityOptions = {
    ...(hook !== undefined && { pattern: { use: 'isolation', options: { dir: hook } } }),
    ...(open ? { capabilities: [everything(definition, getPermissions)] } : capabilities && { capabilities }),
  }
  const core: CoreDefinition = { ...definition, use: [recorder.record, ...(definition.use ?? [])] }
  const bus = await assemble({ log: false, ...rest, core, app: { security } })
  const close = (): Promise<void> => bus.close()
  try {
    const client = await bus.connect(label, connection)
    return { bus, client, calls: command => recorder.calls(command), close, [Symbol.asyncDispose]: close }
  } catch (error) {
    await close()
    throw error
  }
}

function everything({ commands = {}, plugins = [] }: CoreDefinition, permissionsOf: PermissionsOf): Capability {
  const owners = [{ commands, name: undefined }, ...plugins]
  const permissions = owners.flatMap(({ commands: own = {}, name }) =>
    Object.keys(own).map(command => permissionsOf(command, name).allow),
  )
  return { identifier: 'everything', windows: ['*'], permissions }
}
