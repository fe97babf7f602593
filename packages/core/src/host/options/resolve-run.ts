// Checks the options of `bus.run` and `bus.resume`.
import type { ModuleText } from '@sallyport/protocol/internal/contract'
import { BusError } from '@sallyport/protocol/internal/errors'
import * as v from 'valibot'
import type { RunTerms } from '../../contract/host-core.js'
import { check } from '../../shared/validate.js'
import type { SandboxOptions } from '../sandboxes/sandbox.js'
import { type SandboxName, TIMED_KINDS, limitMemory, limitTime } from '../sandboxes/kinds.js'
import type { SharedThreads } from '../workers/shared-threads.js'
import type { FrontendConfig, FrontendDefaults, HostConfig } from './config.js'
import { toFrontendConfig } from './resolve-frontend.js'
import type { PreparedFunctions, RunFunctions } from './run-functions.js'
import { frontendSchema, getRunPlaces, moduleSourceSchema, runSchema } from './schema.js'
import type { RunLimits, RunOptions } from './types.js'

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

/** The code is the body of an async function. Its wrapper has one line before it, so that lines are its own. */
const WRAPPER = {
  imports: `import { Channel, emit, expose, invoke, listen, stream } from '@sallyport/frontend'; `,
  before: `expose({ 'bus.run': args => (async () => {`,
  after: '\n})() })',
}

/** @param declare - returns a declaration of variables of the code, with the expression that is `invoke` */
const createWrapper = (
  declare: ((invoke: string) => string) | undefined,
  maxResultBytes: number | undefined,
): NonNullable<ModuleText['wrapper']> => ({
  maxResultBytes,
  before: `${WRAPPER.imports}${declare?.('invoke') ?? ''}${WRAPPER.before}`,
  after: WRAPPER.after,
  ...(declare && { globals: declare('sallyport.invoke') }),
})

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
  const { label, args, directory, modules, language, functions, limits, report, ...checked } = check(
    where,
    runSchema,
    options,
    getRunPlaces,
  )
  // Few runs have some.
  const prepared = functions && (await import('./run-functions.js')).prepareFunctions(where, functions as RunFunctions)
  const { allow, data, onStdio } = checked
  const sandbox = limitSandbox(where, checked.sandbox, limits)
  const { url, text } = check(`${where}: the code`, moduleSourceSchema, {
    ...{ source, name: `run.${language === 'typescript' ? 'ts' : 'js'}`, directory, modules },
  })
  const { timeout: limit = calls.timeout } = options
  const timeout = limit === false ? undefined : limit
  // Code that computes for longer than a heartbeat allows has its timeout.
  const supervision = { restart: 'temporary', ...(timeout && { heartbeat: false as const }) } as const
  const parsed = { ...v.getDefaults(frontendSchema), allow, data, onStdio, sandbox, supervision, loaded: false }
  const config = await toFrontendConfig(`${where}: `, parsed, host, {
    ...text!,
    wrapper: createWrapper(prepared?.declare, limits.resultBytes),
  })
  const interrupts = config.sandbox.engine && (continuations?.hasKey ? ('yes' as const) : ('no-key' as const))
  const run: RunTerms = { functions: prepared?.name, maxCalls: limits.calls, interrupts: interrupts || undefined }
  return {
    ...{ label, module: url, args, timeout, functions: prepared, limits, report },
    config: { ...config, runsOnce: true, run },
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
