// A worker under Node's permission model.
import type { ResourceLimits, Worker } from 'node:worker_threads'
import { closeEndpoint, createLinkEndpoints } from '@sallyport/protocol/internal/link'
import type { BrokerData } from '@sallyport/process/internal'
import {
  checkNet,
  checkReads,
  checkSecrets,
  findOutwardLinks,
  getModuleCode,
  OPEN_NET,
  warnOfLinks,
} from '@sallyport/process/internal/permission-model'
import * as v from 'valibot'
import type { ModuleLocation } from '../../shared/locations.js'
import { requireNode } from '../../shared/other-runtime.js'
import { leftOut, netOrHosts, objectOfKind, read, resourceLimits, secrets } from './options.js'
import type { ThreadHandle } from '../thread.js'
import { getFrontendEntry, type SandboxKind } from './sandbox.js'
import { loadProcesses, type Processes } from '../workers/process-host.js'
import { getFrontendWorker, spawnSandboxed } from '../workers/spawn-sandboxed.js'

/** Node's permission model around a frontend worker: see the page "Security in detail" of the documentation. */
export interface PermissionSandbox {
  /** Node's permission model in a worker thread. */
  kind: 'permission'
  /** Lets the frontend read files and directories, in addition to its module's directory and the `node_modules` above it. */
  read?: readonly ModuleLocation[]
  /**
   * Grants the network, or denies it, which is the default. Node before 25 cannot deny it: the network is open without this option, and
   * `false` is refused, as is a list of hosts, which is as that of a process.
   */
  net?: boolean | readonly string[]
  /** Hides secrets, by the name of an environment variable, as those of a process. */
  secrets?: Readonly<Record<string, { readonly value: string; readonly hosts: readonly string[] }>>
  /** Limits memory in MB, as in `new Worker`. @default { maxOldGenerationSizeMb: 1024 }, and 2048 before Node 22.16 */
  resourceLimits?: ResourceLimits
}

const schema = objectOfKind({
  kind: v.literal('permission'),
  read,
  write: leftOut('only a process can write. Use kind: "process", or a command that writes'),
  net: netOrHosts,
  secrets,
  resourceLimits,
})

/** @internal */
export const permissionKind: SandboxKind<'permission', typeof schema> = {
  isTrusted: false,
  schema,
  async resolve({ kind, read, net, secrets: secretOptions, resourceLimits }, place, threads) {
    requireNode(
      `${place} "permission"`,
      'it ignores the permission model of Node.js, and the code would have all rights',
    )
    checkNet(place, net, OPEN_NET)
    checkReads(place, read)
    checkSecrets(place, { net, secrets: secretOptions })
    // The broker of a list is in the thread of relays.
    const broker = typeof net === 'object' ? await loadProcesses(threads) : undefined
    return {
      kind,
      spawn(start, host) {
        checkReads(place, read)
        const entry = getFrontendEntry(host)
        const code = getModuleCode(entry, start, read, host.options.core)
        const links = findOutwardLinks(code.reads)
        warnOfLinks(host.log, host.processes.getName(start.label), links)
        const options = { entry, links, net: net === true, resourceLimits }
        if (typeof net !== 'object' || !broker) return spawnSandboxed({ ...options, ...getFrontendWorker(start, code) })
        const [brokerEnd, frontendEnd] = createLinkEndpoints('ring')
        const placed = broker.createSecrets(secretOptions ?? {})
        const env = broker.getPlaceholders(placed)
        const own = getFrontendWorker({ ...start, broker: frontendEnd, env }, code)
        const worker = spawnSandboxed({ ...options, ...own })
        const data: BrokerData = { broker: { hosts: net, secrets: placed }, link: brokerEnd }
        return openBroker(worker, start.label, data, host.processes)
      },
    }
  },
}

/** Opens the network by list of a frontend in a worker: the thread of relays has its broker. */
function openBroker(worker: Worker, label: string, data: BrokerData, processes: Processes): ThreadHandle {
  const member = processes.openRelay(`the broker of ${processes.getName(label)}`, data)
  member.unref()
  worker.once('exit', () => void member.terminate())
  member.once('exit', () => closeEndpoint(data.link))
  // Without its network, the frontend would go on with requests that fail.
  member.on('error', (error: unknown) => {
    worker.emit('error', error as Error)
    void worker.terminate()
  })
  return Object.assign(worker, { broker: member })
}
