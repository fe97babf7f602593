// The options of a bus: checked, and with defaults in place of what is missing. `life/frontends/config.ts` has those that any host has.
import type { AclInput } from '../acl/types.js'
import type { CoreDefinition } from '../api/define.js'
import type { AppInfo } from '../contract/host-core.js'
import type { HostConfig } from '../life/frontends/config.js'
import type { SupervisionConfig } from '../life/policy.js'
import type { ParsedOptions } from './schema.js'
import type { WebviewConfig } from './tauri-project/project.js'

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
