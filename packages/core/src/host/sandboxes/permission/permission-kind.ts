// A worker under Node's permission model.
import type { ResourceLimits } from 'node:worker_threads'
import * as v from 'valibot'
import type { ModuleLocation } from '../../../shared/locations.js'
import { boolean } from '../../../shared/schemas.js'
import { leftOut, objectOfKind, read, resourceLimits } from '../kind/entries.js'
import { netOrHosts } from '../kind/network-entries.js'
import { getFrontendEntry } from '../kind/sandbox-config.js'
import type { SandboxKind } from '../kind/sandbox-kind.js'
import { getModuleCode } from '../permission-model/module-code.js'
import { checkNet, checkNoHosts } from '../permission-model/net.js'
import { getFrontendWorker, spawnSandboxed } from '../permission-model/spawn-sandboxed.js'

/** Node's permission model around a frontend worker: see the page "Security in detail" of the documentation. */
export interface PermissionSandbox {
  /** Node's permission model in a worker thread. */
  kind: 'permission'
  /** Files and directories that the frontend may read, in addition to its module's directory and the `node_modules` above it. */
  read?: readonly ModuleLocation[]
  /**
   * Grants the network, or denies it, which is the default. Node before 25 cannot deny it: the network is open without this option, and
   * `false` is refused. A list of hosts needs a process.
   */
  net?: boolean
  /** Fails the start if the frontend can read the working directory without a grant. @default false */
  strict?: boolean
  /** Limits of `new Worker`: memory, in MB. @default { maxOldGenerationSizeMb: 1024 }, and 2048 before Node 22.16 */
  resourceLimits?: ResourceLimits
}

const schema = objectOfKind({
  kind: v.literal('permission'),
  read,
  write: leftOut('only a process can write. Use kind: "process", or a command that writes'),
  net: netOrHosts,
  strict: v.optional(boolean, false),
  resourceLimits,
})

/** @internal */
export const permissionKind: SandboxKind<'permission', typeof schema> = {
  isTrusted: false,
  schema,
  resolve({ kind, read, net, strict, resourceLimits }, place) {
    checkNoHosts(place, net)
    checkNet(place, net)
    return {
      kind,
      isStrict: strict,
      spawn(start, host) {
        const entry = getFrontendEntry(host)
        const code = getModuleCode(entry, start, read, host.options.core)
        return spawnSandboxed({ entry, ...getFrontendWorker(start, code, strict), net, resourceLimits })
      },
    }
  },
}
