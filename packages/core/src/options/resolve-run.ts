// Checks the options of `bus.run` and `bus.resume`, and prepares the host's functions for one run: what the code finds of them, and what runs
// when it calls one.
import { Script } from 'node:vm'
import type { ExposedContext } from '@sallyport/frontend/internal'
import type { ModuleText } from '@sallyport/protocol/internal/contract'
import { BusError, describeName, didYouMean, isBusError, type OptionCheck } from '@sallyport/protocol/internal/errors'
import { bindContext, isPlainObject } from '@sallyport/protocol/internal/util'
import { RUN_METHOD } from '@sallyport/protocol/internal/message'
import { MAX_SCRIPT_MS } from '@sallyport/protocol/internal/wire'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import * as v from 'valibot'
import { checkArguments } from '../api/arguments.js'
import { RUN_FUNCTION_METHOD, type RunTerms } from '../contract/host-core.js'
import { check, strictOptions, string } from '../shared/validate.js'
import type { SandboxOptions } from '../life/sandboxes/sandbox.js'
import { type SandboxName, TIMED_KINDS, limitMemory, limitTime } from '../life/sandboxes/kinds.js'
import type { SharedThreads } from '../life/workers/shared-threads.js'
import type { FrontendConfig, FrontendDefaults, HostConfig } from '../life/frontends/config.js'
import { toFrontendConfig } from './resolve-frontend.js'
import { frontendSchema, getRunPlaces, moduleSourceSchema, runSchema } from './schema.js'
import type { RunFunctions, RunLimits, RunOptions } from './types.js'

/** More than a sandbox that limits the time without a pause allows. */
const STUCK_MS = 2 * MAX_SCRIPT_MS

export interface RunConfig {
  label: string | undefined
  module: URL
  config: FrontendConfig
  args: object
  timeout: number | undefined
  functions: PreparedFunctions | undefined
  limits: RunLimits
  report: boolean
}

/**
 * The code is the body of an async function. One line stands before it, so that lines are its own.
 *
 * @param declare - returns a declaration of variables of the code, with the expression that is `invoke`
 */
const createWrapper = (
  declare: ((invoke: string) => string) | undefined,
  maxResultBytes: number | undefined,
): NonNullable<ModuleText['wrapper']> => ({
  maxResultBytes,
  before:
    `import { Channel, emit, expose, invoke, listen, stream } from '@sallyport/frontend'; ` +
    `${declare?.('invoke') ?? ''}expose({ '${RUN_METHOD}': args => (async () => {`,
  after: '\n})() })',
  ...(declare && { globals: declare('sallyport.invoke') }),
})

/**
 * Checks the options of what runs code by `bus.run`.
 *
 * @param withheld - options of `bus.run` that it sets itself
 * @param others - those of its own
 * @throws {BusError} InvalidParams
 */
export function checkRunOptions(
  where: string,
  options: object,
  withheld: readonly string[],
  others: Readonly<Record<string, OptionCheck>> = {},
): void {
  const entries: Record<string, v.GenericSchema> = { ...runSchema.entries }
  for (const name of withheld) delete entries[name]
  for (const [name, [isValid, expected]] of Object.entries(others))
    entries[name] = v.optional(v.custom(isValid, expected))
  check(where, strictOptions(entries), options)
}

export async function resolveRun(
  where: string,
  source: string,
  options: RunOptions,
  {
    calls,
    continuations,
    ...host
  }: FrontendDefaults & Pick<HostConfig, 'calls' | 'continuations'> & { threads: SharedThreads },
): Promise<RunConfig> {
  const { label, quotaLabel, args, directory, modules, language, functions, limits, report, ...checked } = check(
    where,
    runSchema,
    options,
    getRunPlaces,
  )
  const prepared = functions && prepareFunctions(where, functions as RunFunctions)
  const { allow, data, onStdio } = checked
  const sandbox = limitSandbox(where, checked.sandbox, limits)
  const { url, text } = check(`${where}: the code`, moduleSourceSchema, {
    ...{ source, name: `run.${language === 'typescript' ? 'ts' : 'js'}`, directory, modules },
  })
  const { timeout: limit = calls.timeout } = options
  const timeout = limit === false ? undefined : limit
  // Code that computes for longer than a heartbeat allows has its timeout. In a sandbox with a shorter limit it is stuck, and others wait for it.
  const heartbeat = limitTime(sandbox, 1) ? STUCK_MS : (false as const)
  const supervision = { restart: 'temporary', ...(timeout && { heartbeat }) } as const
  const parsed = { ...v.getDefaults(frontendSchema), allow, data, onStdio, sandbox, supervision, loaded: false }
  const config = await toFrontendConfig(`${where}: `, parsed, host, {
    ...text!,
    wrapper: createWrapper(prepared?.declare, limits.resultBytes),
  })
  const interrupts = config.sandbox.engine && (continuations?.hasKey ? ('yes' as const) : ('no-key' as const))
  const run: RunTerms = { functions: prepared?.name, maxCalls: limits.calls, interrupts: interrupts || undefined }
  return {
    ...{ label, module: url, args, timeout, functions: prepared, limits, report },
    config: { ...config, limitLabel: quotaLabel, runsOnce: true, run },
  }
}

/** @throws {BusError} InvalidParams for a limit of time that the sandbox does not have */
function limitSandbox(
  where: string,
  options: SandboxOptions<SandboxName>,
  { memory, time }: RunLimits,
): SandboxOptions<SandboxName> {
  const limited = memory === undefined ? options : limitMemory(options, memory)
  if (time === undefined) return limited
  const timed = limitTime(limited, time)
  if (timed) return timed
  const remedy = `Use ${TIMED_KINDS}, or set timeout`
  throw new BusError('InvalidParams', `${where}: sandbox ${JSON.stringify(options.kind)} has no limits.time. ${remedy}`)
}

export interface PreparedFunctions {
  /** The name by which the host exposes `run`: only the run's session in core knows it. */
  readonly name: string
  readonly run: (call: never, ctx: ExposedContext) => unknown
  /** Returns a declaration of the namespaces. @param invoke - an expression that is the client's `invoke` */
  declare(invoke: string): string
  /** Returns an error of the code that names a function which is not there with one that is. Returns other errors unchanged. */
  explain(error: unknown): unknown
}

const IDENTIFIER = /^[A-Za-z_$][\w$]*$/
/** Names that code finds in a sandbox, in addition to those of JavaScript. */
const TAKEN = new Set([
  ...['args', 'invoke', 'stream', 'emit', 'listen', 'expose', 'Channel', 'sallyport', 'console', 'self', 'window'],
  ...['global', 'process', 'Buffer', 'require', 'module', 'exports', 'harden', 'lockdown', 'Compartment'],
])
/** An awaited namespace would be called by its `then`, and a serialized one by its `toJSON`. */
const NOT_MEMBERS = new Set(['then', 'toJSON'])

/** A function of a run throws it to interrupt the run, as a command does by `ctx.interrupt`. */
export class RunInterrupt {
  constructor(readonly data: unknown) {}
}

type Run = (args: unknown, ctx: ExposedContext) => unknown

const isStandardSchema = (value: unknown): boolean =>
  typeof (value as StandardSchemaV1 | null | undefined)?.['~standard']?.validate === 'function'
const functionSchema = v.strictObject(
  {
    description: v.optional(string),
    args: v.optional(v.custom<StandardSchemaV1>(isStandardSchema, 'a Standard Schema')),
    handler: v.custom<Run>(value => typeof value === 'function', 'a function'),
  },
  'a function, or { description, args, handler }',
)

/** @throws {BusError} InvalidParams, which names the function */
export function prepareFunctions(where: string, functions: RunFunctions): PreparedFunctions {
  const wrong = (place: string, text: string): BusError =>
    new BusError('InvalidParams', `${where}: functions${place}: ${text}`)
  const handlers = new Map<string, Run>()
  const listEntries = (place: string, value: unknown): [string, unknown][] => {
    if (!isPlainObject(value)) throw wrong(place, 'must be an object of its own, without a class')
    return Object.entries(value)
  }
  const namespaces = listEntries('', functions).map(([namespace, members]) => {
    const reason = getNameProblem(namespace) ?? getGlobalProblem(namespace)
    if (reason) throw wrong('', `${describeName(namespace)} ${reason}`)
    const names = listEntries(`.${namespace}`, members).map(([name, definition]) => {
      const problem = getNameProblem(name) ?? (NOT_MEMBERS.has(name) ? 'is reserved' : undefined)
      if (problem) throw wrong(`.${namespace}`, `${describeName(name)} ${problem}`)
      const method = `${namespace}.${name}`
      const given = typeof definition === 'function' ? { handler: definition } : definition
      const getNames = (): string[] => Object.keys(functionSchema.entries)
      const { args, handler } = check(`${where}: functions.${method}`, functionSchema, given, getNames)
      handlers.set(method, args ? checkArguments(method, args, handler) : handler)
      return name
    })
    return [namespace, names] as const
  })

  const names = new Map(namespaces)
  const exposedName = `bus.run ${crypto.randomUUID()}`
  return {
    name: exposedName,
    run: bindContext(async (call: { name: unknown; args: unknown }, ctx: ExposedContext) => {
      const run = handlers.get(String(call.name))
      if (!run) throw new BusError('MethodNotFound', `The run has no function ${describeName(String(call.name))}`)
      try {
        return await run(call.args, ctx)
      } catch (thrown) {
        if (!(thrown instanceof RunInterrupt)) throw thrown
        const data = { run: exposedName, data: thrown.data }
        throw new BusError('Interrupted', 'A function interrupted the run', { data })
      }
    }),
    declare(invoke) {
      const write = ([namespace, names]: readonly [string, readonly string[]]): string => {
        const members = names.map(name => `${name}: (args = {}) => call('${namespace}.${name}', args)`)
        return `${namespace}: Object.freeze({ ${members.join(', ')} })`
      }
      const call = `(name, args) => ${invoke}('${RUN_FUNCTION_METHOD}', { name, args })`
      const list = namespaces.map(([namespace]) => namespace).join(', ')
      return `const { ${list} } = (call => ({ ${namespaces.map(write).join(', ')} }))(${call}); `
    },
    explain(error) {
      if (!isBusError(error, 'CommandFailed')) return error
      const { message, data, cause } = error
      const hint = suggestFunction(message, names)
      if (hint === '') return error
      const text = `${message}${hint}`
      return new BusError('CommandFailed', text, { data: data === message ? text : data, cause })
    },
  }
}

/** Names that a message lists. */
const MAX_LISTED = 10

/** Returns what the code might have meant: ` (did you mean "search"?)`, or an empty string. */
function suggestFunction(message: string, namespaces: ReadonlyMap<string, readonly string[]>): string {
  const [, namespace = '', name = ''] = /^([\w$]+)\.([\w$]+) is not a function$/.exec(message) ?? []
  const names = namespaces.get(namespace)
  if (names) {
    const listed = names.length > MAX_LISTED ? [...names.slice(0, MAX_LISTED), '…'] : names
    return didYouMean(name, names) || `. ${namespace} has ${listed.join(', ') || 'no functions'}`
  }
  const [, missing] = /^([\w$]+) is not defined$/.exec(message) ?? []
  if (missing === undefined) return ''
  const [owner] = [...namespaces].find(([, members]) => members.includes(missing)) ?? []
  return owner === undefined ? didYouMean(missing, namespaces.keys()) : ` (did you mean "${owner}.${missing}"?)`
}

function getNameProblem(name: string): string | undefined {
  if (!IDENTIFIER.test(name)) return 'must be an identifier of ASCII letters, digits, "_" and "$"'
  return name in Object.prototype ? 'is reserved, because every object has it' : undefined
}

function getGlobalProblem(name: string): string | undefined {
  if (TAKEN.has(name) || Object.hasOwn(globalThis, name)) return 'is reserved, because it is a global of the code'
  try {
    void new Script(`'use strict'; async () => { const ${name} = 0 }`)
    return undefined
  } catch {
    return 'is reserved in JavaScript'
  }
}
