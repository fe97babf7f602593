// A script in a SES Compartment: in a worker of its own, in the worker of its group, or in a process.
import type { FrontendStart, FrontendWorkerData } from '@sallyport/protocol/internal/contract'
import * as v from 'valibot'
import { getWorkerName } from '../../supervision/policy.js'
import type { Entry } from '../../workers/spawn.js'
import { leftOut, objectOfKind, resourceLimits } from '../kind/entries.js'
import { getFrontendEntry } from '../kind/sandbox-config.js'
import type { SandboxKind } from '../kind/sandbox-kind.js'
import { getFrontendWorker, spawnSandboxed } from '../permission-model/spawn-sandboxed.js'
import type { FrontendCode } from '../permission-model/module-code.js'
import type { PermissionSandbox } from '../permission/permission-kind.js'
import { createProcessConfig, prepareProcess } from '../process/process-config.js'
import { processEntries } from '../process/process-entries.js'
import type { ProcessSandbox } from '../process/process-kind.js'
import { getScriptCode, readScript } from '../permission-model/script-code.js'

/**
 * A script in a SES Compartment: the page "Security in detail" of the documentation lists its globals. The options of a process need
 * `process: true`.
 */
export interface SesSandbox
  extends
    Pick<PermissionSandbox, 'resourceLimits'>,
    Pick<ProcessSandbox, 'wall' | 'memory' | 'cpu' | 'pids' | 'spares'> {
  /** A script in a SES Compartment. */
  kind: 'ses'
  /**
   * Runs the script in a separate process, as `kind: 'process'` runs a module. The script has no files and no network, with or without a
   * wall. Excludes `group`. `memory` includes Node and SES, which take up to 70 MiB; `resourceLimits` are flags of V8, by default Node's.
   *
   * @default false
   */
  process?: boolean
  /**
   * Name of a group of scripts that share a thread, because they trust each other: one that does not return delays and restarts the others.
   * Each script keeps its own rights, quotas, output and errors. `resourceLimits` are those of the thread, and must be the same for each
   * script of the group. By default a script has a thread of its own.
   */
  group?: string
}

const getSesCode = (entry: Entry, start: FrontendStart): FrontendCode =>
  getScriptCode('@sallyport/isolation/internal/script', entry, start)

const needsProcess = leftOut('it needs process: true')
const schema = v.variant('process', [
  objectOfKind({
    kind: v.literal('ses'),
    process: v.literal(true),
    group: leftOut('scripts of a group share a thread of the host, and this one has a process'),
    ...processEntries,
  }),
  objectOfKind({
    kind: v.literal('ses'),
    process: v.optional(v.literal(false)),
    group: v.optional(
      v.pipe(
        v.string('a name'),
        v.check(name => name !== '', 'a name'),
      ),
    ),
    resourceLimits,
    ...{ memory: needsProcess, cpu: needsProcess, pids: needsProcess, wall: needsProcess, spares: needsProcess },
  }),
])

/** @internal */
export const sesKind: SandboxKind<'ses', typeof schema> = {
  isTrusted: false,
  schema,
  async resolve(options, place, threads) {
    if (options.process) {
      // A script has no files and no network, whatever Node and the wall deny.
      return createProcessConfig({ ...options, net: false }, await prepareProcess(options, place, threads), getSesCode)
    }
    const { kind, group, resourceLimits } = options
    return {
      kind,
      spawn(start, host) {
        const entry = getFrontendEntry(host)
        const getWorker = (data: FrontendWorkerData) => getFrontendWorker(data, getSesCode(entry, data))
        if (group === undefined) return spawnSandboxed({ entry, ...getWorker(start), resourceLimits })
        // The thread of a group can read no script: which ones follow is not known when it starts.
        const { workerData, reads } = getWorker({ ...start, script: readScript(start) })
        const thread = {
          name: `group ${JSON.stringify(group)}`,
          size: 1,
          limits: resourceLimits,
          spawn: () => spawnSandboxed({ entry, reads, resourceLimits }),
        }
        return host.sharedThreads.open(thread, getWorkerName('frontend', start.label), workerData)
      },
    }
  },
}
