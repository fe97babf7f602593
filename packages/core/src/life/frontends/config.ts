// What the frontends and gates of a host need of its options: checked, and with defaults in place of what is missing.
import type { CodecName } from '@sallyport/protocol/internal/codec'
import type { ModuleText } from '@sallyport/protocol/internal/contract'
import type { AsyncContext } from '@sallyport/protocol/internal/util'
import type { AllowList, Pattern, RightsSource } from '../../acl/types.js'
import type { CoreDefinition } from '../../api/define.js'
import type { CallLimits, RunTerms } from '../../contract/host-core.js'
import type { Continuations } from '../continuations/continuations.js'
import type { Suspension } from '../continuations/suspension.js'
import type { SupervisionConfig, SupervisionOptions } from '../policy.js'
import type { OnConfirm } from '../reporting/confirm.js'
import type { LogOption } from '../reporting/log.js'
import type { SandboxName } from '../sandboxes/kinds.js'
import type { SandboxConfig } from '../sandboxes/sandbox.js'
import type { OnStdio } from '../workers/output.js'
import type { WorkerFactories } from '../workers/spawn.js'

/** Options of the bus that a frontend's own options override. */
export interface FrontendDefaults {
  codec: CodecName
  supervision?: SupervisionOptions | undefined
}

/** Options of a connection or a frontend, with those of the bus in place of missing ones. */
export interface ConnectionConfig {
  maxInFlight: number
  overflow: 'wait' | 'reject'
  data?: unknown
  codec: CodecName
  supervision: SupervisionConfig
  allow: AllowList | undefined
  /** True for code that has the rights of the host. */
  isTrusted: boolean
  /** Where its rights are written, if not in `allow` of the program. */
  rightsSource?: RightsSource | undefined
  /** Label that the frontend's limits count for: a further tab of a page shares those of the page. @default the frontend's own */
  limitLabel?: string | undefined
  /** Open requests of `ctx.confirm`. A connection that many users share has more. @default MAX_CONFIRM_REQUESTS */
  maxConfirms?: number | undefined
  /** True for the code of `bus.run`: it runs once, and only its caller gets its errors. */
  runsOnce?: boolean
  /** What the code of `bus.run` has in addition. */
  run?: RunTerms
  /** Gets what a run reports that is interrupted. */
  suspension?: Suspension | undefined
  /** Returns the async context of the run's caller. */
  getContext?: () => AsyncContext
}

export interface FrontendConfig extends ConnectionConfig {
  onStdio?: OnStdio | undefined
  loaded: boolean
  loadTimeout: number
  sandbox: SandboxConfig<SandboxName>
  /** The module's code, if it has no file. */
  text?: ModuleText | undefined
  /** The snapshot that a run goes on from. */
  snapshot?: Uint8Array
  /** The image that the snapshot differs from, if an earlier release made it. */
  image?: Uint8Array | undefined
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
