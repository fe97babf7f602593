// Starts the relay of a frontend that runs in a process of its own, under the same permission model as a worker would be.
import type { FrontendProcessStart, FrontendWorkerData } from '@sallyport/protocol'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { serialize } from 'node:v8'
import type { ResourceLimits, Worker } from 'node:worker_threads'
import type { RelayData } from '../relay/relay-data.js'
import type { ProcessSettings } from './options.js'
import { flagsOf, realModule } from './reads.js'
import { MODEL, readsOfFrontend } from './sandbox.js'
import { spawnWorker } from './spawn.js'
import { findEntry } from './worker-makers.js'

/** @throws BusError `InvalidParams` for a place that can't be granted, and what `new Worker` throws */
export function spawnFrontendProcess(data: FrontendWorkerData, sandbox: ProcessSettings, isolated: boolean): Worker {
  const { heartbeat, ...frontend } = data
  const { read, resourceLimits, memory, cpu } = sandbox
  const entry = findEntry('@sallyport/frontend/process')
  const module = realModule(data.module)
  const start: FrontendProcessStart = {
    ...frontend,
    module: module.href,
    // In an empty folder there is nothing to stray to.
    sandbox: { stray: undefined, strict: false },
    isolated,
  }
  const flags = [...MODEL, ...flagsOf(readsOfFrontend(entry, module, read)), ...flagsOfV8(resourceLimits)]
  const relayData: RelayData = {
    args: [...flags, fileURLToPath(entry)],
    temporary: tmpdir(),
    start: serialize(start),
    isolated,
    heartbeat,
    limits: { memory, cpu },
  }
  return spawnWorker(findEntry('#relay'), relayData, [], { env: {}, stdout: true, stderr: true })
}

/** A young generation is three semi-spaces, as V8 counts them; a stack's last part is Node's own. */
function flagsOfV8(limits: ResourceLimits = {}): string[] {
  const { maxOldGenerationSizeMb: old, maxYoungGenerationSizeMb: young, stackSizeMb: stack } = limits
  return [
    ...(old === undefined ? [] : [`--max-old-space-size=${Math.ceil(old)}`]),
    ...(young === undefined ? [] : [`--max-semi-space-size=${Math.ceil(young / 3)}`]),
    ...(stack === undefined ? [] : [`--stack-size=${Math.max(64, Math.floor(stack * 1024) - 192)}`]),
  ]
}
