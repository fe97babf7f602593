// A worker under Node's permission model.
import type { ResourceLimits, Worker } from 'node:worker_threads'
import { closeEndpoint, createLinkEndpoints, type LinkEndpoint } from '@sallyport/protocol/internal/link'
import * as v from 'valibot'
import type { ModuleLocation } from '../../../shared/locations.js'
import { boolean } from '../../../shared/schemas.js'
import { leftOut, objectOfKind, read, resourceLimits } from '../kind/entries.js'
import { netOrHosts, secrets } from '../kind/network-entries.js'
import type { ThreadHandle } from '../../life/spec.js'
import { getFrontendEntry } from '../kind/sandbox-config.js'
import type { SandboxKind } from '../kind/sandbox-kind.js'
import { getModuleCode } from '../permission-model/module-code.js'
import { checkNet, checkSecrets } from '../permission-model/net.js'
import { getWorkerName } from '../../supervision/policy.js'
import { createSecrets, getPlaceholders } from '../process/network/secrets.js'
import type { BrokerOptions } from '../process/network/broker.js'
import { RELAYS } from '../process/process-config.js'
import type { BrokerData } from '../process/relay/run-broker.js'
import type { SharedThreads } from '../../workers/shared-threads.js'
import { getFrontendWorker, spawnSandboxed } from '../permission-model/spawn-sandboxed.js'

/** Node's permission model around a frontend worker: see the page "Security in detail" of the documentation. */
export interface PermissionSandbox {
  /** Node's permission model in a worker thread. */
  kind: 'permission'
  /** Files and directories that the frontend may read, in addition to its module's directory and the `node_modules` above it. */
  read?: readonly ModuleLocation[]
  /**
   * Grants the network, or denies it, which is the default. Node before 25 cannot deny it: the network is open without this option, and
   * `false` is refused, as is a list of hosts, which is as that of a process.
   */
  net?: boolean | readonly string[]
  /** Secrets by the name of an environment variable, as those of a process. */
  secrets?: Readonly<Record<string, { readonly value: string; readonly hosts: readonly string[] }>>
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
  secrets,
  strict: v.optional(boolean, false),
  resourceLimits,
})

/** @internal */
export const permissionKind: SandboxKind<'permission', typeof schema> = {
  isTrusted: false,
  schema,
  resolve({ kind, read, net, secrets: secretOptions, strict, resourceLimits }, place) {
    checkNet(place, net)
    checkSecrets(place, { net, secrets: secretOptions })
    return {
      kind,
      isStrict: strict,
      spawn(start, host) {
        const entry = getFrontendEntry(host)
        const code = getModuleCode(entry, start, read, host.options.core)
        const options = { entry, net: net === true, resourceLimits }
        if (typeof net !== 'object') return spawnSandboxed({ ...options, ...getFrontendWorker(start, code, strict) })
        const [brokerEnd, broker] = createLinkEndpoints('ring')
        const placed = createSecrets(secretOptions ?? {})
        const own = getFrontendWorker({ ...start, broker, env: getPlaceholders(placed) }, code, strict)
        const worker = spawnSandboxed({ ...options, ...own })
        const name = getWorkerName('frontend', start.label)
        return openBroker(worker, name, { hosts: net, secrets: placed }, brokerEnd, host.sharedThreads)
      },
    }
  },
}

/**
 * Opens the network by list of a frontend in a worker: the thread of relays has its broker.
 *
 * @param link - the end of the link whose other one the worker has
 */
function openBroker(
  worker: Worker,
  name: string,
  broker: BrokerOptions,
  link: LinkEndpoint,
  threads: SharedThreads,
): ThreadHandle {
  const member = threads.open(RELAYS, `the broker of ${name}`, { broker, link } satisfies BrokerData)
  member.unref()
  worker.once('exit', () => void member.terminate())
  member.once('exit', () => closeEndpoint(link))
  // Without its network, the frontend would go on with requests that fail.
  member.on('error', (error: unknown) => {
    worker.emit('error', error as Error)
    void worker.terminate()
  })
  return Object.assign(worker, { broker: member })
}
