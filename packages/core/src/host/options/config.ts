// The options as the host uses them: checked, and with defaults in place of what is missing.
import type { ModuleText } from '@sallyport/protocol/internal/contract'
import type { AsyncContext } from '@sallyport/protocol/internal/util'
import type * as v from 'valibot'
import type { AclInput, AllowList, Pattern } from '../../acl/types.js'
import type { CoreDefinition } from '../../api/define.js'
import type { AppInfo, CallLimits, RunTerms } from '../../contract/host-core.js'
import type { Continuations } from '../continuations/continuations.js'
import type { Suspension } from '../continuations/suspension.js'
import type { OnConfirm } from '../reporting/confirm.js'
import type { LogOption } from '../reporting/log.js'
import type { SandboxConfig } from '../sandboxes/sandbox.js'
import type { SandboxName } from '../sandboxes/kinds.js'
import type { SupervisionConfig } from '../life/policy.js'
import type { WebviewConfig } from '../tauri-project/project.js'
import type { WorkerFactories } from '../workers/spawn.js'
import type { ParsedFrontend, ParsedOptions, connectionSchema } from './schema.js'

/** Options of the bus that a frontend's own options override. */
export type FrontendDefaults = Pick<ParsedOptions, 'codec' | 'supervision'>

/** Options of a connection or a frontend, with those of the bus in place of missing ones. */
export interface ConnectionConfig extends Omit<v.InferOutput<typeof connectionSchema>, 'allow'> {
  codec: FrontendDefaults['codec']
  supervision: SupervisionConfig
  allow: AllowList | undefined
  /** True for code that has the rights of the host. */
  isTrusted: boolean
  /** Label that the frontend's limits count for: a further tab of a page shares those of the page. @default the frontend's own */
  limitLabel?: string | undefined
  /** True for the code of `bus.run`: it runs once, and only its caller gets its errors. */
  runsOnce?: boolean
  /** What the code of `bus.run` has in addition. */
  run?: RunTerms
  /** Gets what a run reports that is interrupted. */
  suspension?: Suspension | undefined
  /** Returns the async context of the run's caller. */
  getContext?: () => AsyncContext
}

export interface FrontendConfig extends ConnectionConfig, Pick<ParsedFrontend, 'onStdio' | 'loaded' | 'loadTimeout'> {
  sandbox: SandboxConfig<SandboxName>
  /** The module's code, if it has no file. */
  text?: ModuleText | undefined
  /** The snapshot that a run goes on from. */
  snapshot?: Uint8Array
}

export interface HostConfig extends FrontendDefaults {
  log: LogOption
  onConfirm: OnConfirm | undefined
  workers: WorkerFactories
  frontends: ({ label: string; module: URL } & FrontendConfig)[]
  calls: CallLimits
  continuations?: Continuations
  pattern: Pattern
  /** `from` is the option or file that names `dir`, for error texts. */
  isolation: {
    dir: URL | undefined
    legacyMessages: boolean
    hookTimeout: number
    gates: 'each' | number
    from: string
  }
  dev: boolean
  /** Absent if core is in another process. */
  core?: URL | CoreDefinition
}

export interface BusConfig extends HostConfig, Pick<ParsedOptions, 'network' | 'startTimeout'> {
  /** Whether an inspector is opened. `if-installed`: a host runs without one that a variable of its environment asks for. */
  inspect: boolean | 'if-installed'
  core: URL | CoreDefinition
  coreSupervision: SupervisionConfig
  acl: AclInput
  appInfo: AppInfo
  resources: ParsedOptions['resources']
  /** The parts of a Tauri project's configuration that are about pages. */
  webview: WebviewConfig | undefined
  plugins: Readonly<Record<string, unknown>>
}
