// The kinds of sandbox: a new one is a file here, and its lines in `Sandbox` and `KINDS`.
import * as v from 'valibot'
import { inlineOr } from '../../shared/validate.js'
import { getFrontendEntry, type SandboxConfig, type SandboxKind, type SandboxOptions } from './sandbox.js'
import { spawnWorker } from '../workers/spawn.js'
import type { SharedThreads } from '../workers/shared-threads.js'
import { explainLauncher } from './options.js'
import { permissionKind, type PermissionSandbox } from './permission.js'
import { processKind, type ProcessSandbox } from './process.js'
import { quickjsKind, type QuickjsSandbox } from './quickjs.js'

/**
 * Rights of a frontend in addition to calling commands. `none`: all rights of the host; its code is trusted. `permission`: it reads its own
 * directory and `node_modules`, and uses Node's API without writes, child processes, workers and addons. `process`: the same, in a
 * separate process. `quickjs`: a script in a VM of its own without Node's API, of which many share a thread; in a process with
 * `{ kind: 'quickjs', process: true }`.
 */
export type Sandbox =
  | 'none'
  | 'permission'
  | 'process'
  | 'quickjs'
  | PermissionSandbox
  | ProcessSandbox
  | QuickjsSandbox

export type SandboxName = Extract<Sandbox, string>

/** @internal No sandbox: the code runs in a plain worker, with all rights of the host. */
export const noneKind: SandboxKind<'none'> = {
  isTrusted: true,
  resolve: ({ kind }) => ({
    kind,
    spawn: (start, host) => spawnWorker(getFrontendEntry(host), start),
    announce(once, label) {
      const text = 'Frontend runs without a sandbox: its code has all permissions of the host'
      once(`trust in ${label}`, log => log.warn({ label }, text))
    },
  }),
}

const KINDS: Readonly<Record<SandboxName, SandboxKind<SandboxName>>> = {
  none: noneKind,
  permission: permissionKind,
  process: processKind,
  quickjs: quickjsKind,
}

/** The sandbox of a frontend without the option. */
export const DEFAULT_SANDBOX: SandboxName = 'permission'
/** The sandbox of `bus.run` without the option. */
export const RUN_SANDBOX: SandboxName = 'quickjs'
/** The sandbox of `bus.resume` without the option, for a run in a thread. */
export const RESUME_SANDBOX: Extract<SandboxName, 'quickjs'> = 'quickjs'
/** The same for a run in a process. */
export const RESUME_PROCESS: QuickjsSandbox = { kind: RESUME_SANDBOX, process: true }
/** What `bus.frontends()` shows for the host's own connections. */
export const CONNECTION_SANDBOX: SandboxName = 'none'

const joinAlternatives = (texts: readonly string[]): string => texts.join(', ').replace(/, (?=[^,]*$)/, ' or ')

const names = Object.keys(KINDS) as SandboxName[]
const quoteKinds = (has: (kind: SandboxKind<SandboxName>) => boolean): string =>
  joinAlternatives(names.filter(name => has(KINDS[name])).map(name => JSON.stringify(name)))
/** Kinds whose code can import modules that the host passes by name. */
export const NAMED_MODULE_KINDS: string = quoteKinds(kind => kind.hasNamedModules === true)
/** Kinds that limit the time without a pause. */
export const TIMED_KINDS: string = quoteKinds(kind => kind.limitTime !== undefined)
/** Kinds for code that is trusted, and for code that is not, as error texts list them. */
export const TRUSTED_KINDS: string = quoteKinds(kind => kind.isTrusted)
export const UNTRUSTED_KINDS: string = quoteKinds(kind => !kind.isTrusted)

/** Launchers are no kinds. */
const suggestWall = (kind: unknown): string | undefined => {
  const launcher = explainLauncher(kind)
  return launcher && `{ kind: 'process', wall: … } with ${launcher}`
}

const sandboxObject = v.variant(
  'kind',
  names.flatMap(name => KINDS[name].schema ?? []),
  // Also the message of a variant within a kind, whose values are `true` and `false`.
  ({ expected, input }) => suggestWall(input) ?? joinAlternatives(expected?.match(/"[^"]+"|true|false/g) ?? []),
)
const sandboxName = v.pipe(
  v.picklist(
    names,
    ({ input }) => suggestWall(input) ?? `${names.map(name => JSON.stringify(name)).join(', ')} or { kind, … }`,
  ),
  v.transform(kind => (KINDS[kind].schema ? v.parse(sandboxObject, { kind }) : { kind })),
)
/** @internal */
export const sandboxSchema = inlineOr(sandboxObject, sandboxName)

/** @throws {BusError} InvalidParams for options that this machine cannot enforce */
export const resolveSandbox = async (
  options: SandboxOptions<SandboxName>,
  place: string,
  threads?: SharedThreads,
  hasText?: boolean,
): Promise<SandboxConfig<SandboxName>> => KINDS[options.kind].resolve(options, place, threads, hasText)

/** Returns the options of a sandbox with a limit of memory in MiB. */
export const limitMemory = (options: SandboxOptions<SandboxName>, memory: number): SandboxOptions<SandboxName> =>
  KINDS[options.kind].limitMemory?.(options, memory) ?? {
    ...options,
    resourceLimits: { ...options.resourceLimits, maxOldGenerationSizeMb: memory },
  }

export const hasNamedModules = ({ kind }: Pick<SandboxConfig<SandboxName>, 'kind'>): boolean =>
  KINDS[kind].hasNamedModules === true

/** Returns the options of a sandbox with a limit of the milliseconds that code can run without a pause, or `undefined` if it has none. */
export const limitTime = (
  options: SandboxOptions<SandboxName>,
  time: number,
): SandboxOptions<SandboxName> | undefined => KINDS[options.kind].limitTime?.(options, time)

export const isTrusted = ({ kind }: Pick<SandboxConfig<SandboxName>, 'kind'>): boolean => KINDS[kind].isTrusted
