// A bus for a test, in one line: core in the test's own thread, and one client.
import type { Client } from '@sallyport/frontend/client'
import type { Capability } from '../authority/capability.js'
import type { permissionsOf } from '../authority/identifier.js'
import type { CoreDefinition } from '../define.js'
import type { Bus } from '../host/bus.js'
import type { BusOptions, ConnectionOptions, SecurityOptions } from '../host/options.js'
import type { ModuleLocation } from '../host/location.js'
import { withFakes, type Fakes } from './fakes.js'
import { checkObject } from './check-object.js'
import { createRecorder, type RecordedCall } from './recorder.js'

type PermissionsOf = typeof permissionsOf

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
  checkObject('createTestBus: its options', options)
  const { core: base = {}, commands = {}, capabilities, hook, label = 'main', connection, ...rest } = options
  checkObject('createTestBus: commands', commands)
  const { assemble, permissionsOf } = await import('../host/assemble.js')
  const recorder = createRecorder()
  const definition = withFakes(base, commands)
  const open = capabilities === undefined && rest.config === undefined
  const security: SecurityOptions = {
    ...(hook !== undefined && { pattern: { use: 'isolation', options: { dir: hook } } }),
    ...(open ? { capabilities: [everything(definition, permissionsOf)] } : capabilities && { capabilities }),
  }
  const core: CoreDefinition = { ...definition, use: [recorder.record, ...(definition.use ?? [])] }
  const bus = await assemble({ log: false, ...rest, core, app: { security } }, true)
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
