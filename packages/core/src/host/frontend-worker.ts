// Starts the worker of a frontend, in the sandbox that was asked for; for a process, that is its relay.
import type { FrontendWorkerData } from '@sallyport/protocol'
import type { Worker } from 'node:worker_threads'
import { boundedLog, intoHost, intoLog, labelOutput } from './captured.js'
import type { Logger } from './log.js'
import { spawnFrontendProcess } from './frontend-process.js'
import type { FrontendSettings, PermissionSettings, SesSettings } from './options.js'
import { realModule } from './reads.js'
import { readsOfFrontend, readsOfScript, spawnSandboxed, strayRead } from './sandbox.js'
import { spawnWorker, type Entry } from './spawn.js'
import { findEntry, type WorkerMaker } from './worker-makers.js'

/**
 * @param isolated it has a gate
 * @param dev what it prints goes to the host's own output, labelled
 * @throws BusError `InvalidParams` for a place that can't be granted, and what `new Worker` throws
 */
export function spawnFrontend(
  data: FrontendWorkerData,
  settings: FrontendSettings,
  isolated: boolean,
  log: Logger,
  dev: boolean,
  maker: WorkerMaker | undefined,
): Worker {
  const { sandbox, onStdio } = settings
  const entry = maker ?? findEntry('@sallyport/frontend/worker')
  const isTrusted = sandbox === 'none'
  const worker = isTrusted
    ? spawnWorker(entry, data, [], onStdio || dev ? { stdout: true, stderr: true } : {})
    : sandbox.kind === 'process'
      ? spawnFrontendProcess(data, sandbox, isolated)
      : spawnSandboxed({ entry, transferList: [], ...permitted(entry, data, sandbox) })
  if (onStdio) intoHost(worker, data.label, onStdio)
  else if (dev) labelOutput(worker, data.label)
  else if (!isTrusted) {
    const lines = boundedLog(log, { actor: 'frontend', label: data.label })
    intoLog(worker, lines)
    worker.once('exit', () => lines.flush())
  }
  return worker
}

function permitted(entry: Entry, data: FrontendWorkerData, sandbox: PermissionSettings | SesSettings) {
  const module = realModule(data.module)
  const runner = sandbox.kind === 'ses' ? findEntry('@sallyport/isolation/script') : undefined
  const reads =
    runner === undefined
      ? readsOfFrontend(entry, module, sandbox.kind === 'permission' ? sandbox.read : [])
      : readsOfScript(entry, runner, module)
  const workerData: FrontendWorkerData = {
    ...data,
    module: module.href,
    sandbox: { stray: strayRead(reads), strict: sandbox.kind === 'permission' && sandbox.strict },
    ...(runner !== undefined && { runner }),
  }
  return { workerData, reads, resourceLimits: sandbox.resourceLimits }
}
