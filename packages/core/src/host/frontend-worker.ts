// Starts the worker of a frontend, in the sandbox that was asked for.
import type { FrontendWorkerData } from '@sallyport/protocol'
import type { Worker } from 'node:worker_threads'
import type { Logger } from './log.js'
import type { FrontendSettings } from './options.js'
import { realModule } from './reads.js'
import { readsOfFrontend, readsOfScript, spawnSandboxed, strayRead } from './sandbox.js'
import { spawnWorker } from './spawn.js'

/** @throws BusError `InvalidParams` for a place that can't be granted, and what `new Worker` throws */
export function spawnFrontend(data: FrontendWorkerData, sandbox: FrontendSettings['sandbox'], log: Logger): Worker {
  const entry = import.meta.resolve('@sallyport/frontend/worker')
  const transferList = [data.link.port, ...(data.gate ? [data.gate.port] : [])]
  if (sandbox === undefined || sandbox === 'none') return spawnWorker(entry, data, transferList)
  const module = realModule(data.module)
  const runner = sandbox.kind === 'ses' ? import.meta.resolve('@sallyport/isolation/script') : undefined
  const reads =
    runner === undefined
      ? readsOfFrontend(entry, module, sandbox.kind === 'permission' ? sandbox.read : [])
      : readsOfScript(entry, runner, module)
  return spawnSandboxed({
    entry,
    workerData: {
      ...data,
      module: module.href,
      sandbox: { stray: strayRead(reads), strict: sandbox.kind === 'permission' && sandbox.strict },
      ...(runner !== undefined && { runner }),
    } satisfies FrontendWorkerData,
    transferList,
    reads,
    resourceLimits: sandbox.resourceLimits,
    wrote: (level, line) => log[level]({ actor: 'frontend', label: data.label }, line),
  })
}
