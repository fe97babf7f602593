// Entry of the core worker: loads the user's core module and serves it.
import { once } from 'node:events'
import { parentPort, workerData } from 'node:worker_threads'
import {
  beat,
  BusError,
  describeName,
  describeThrown,
  explainTypeScript,
  setDevelopment,
} from '@sallyport/protocol/internal'
import { getDefinition } from './api/validate-definition.js'
import type { CoreReport, CoreWorkerData, CoreWorkerStart } from './contract/host-core.js'
import { createCoreLog, runCoreActor } from './core-thread/core-actor.js'
import { type Core, createCore } from './core-thread/core.js'
import { warmUpSession } from './core-thread/warm-up-session.js'

const { port } = workerData as CoreWorkerStart
// The host can still be loading its own code.
void warmUpSession()
const [data] = (await once(port, 'message')) as [CoreWorkerData]
const { module, heartbeat, development, sourceMaps, ...options } = data
setDevelopment(development)
if (sourceMaps) process.setSourceMapsEnabled(true)
beat(heartbeat)
const control = parentPort!
const report = (message: CoreReport): void => control.postMessage(message)
const getLog = createCoreLog(options.logLevel, line => report({ type: 'log', line }))

const create = async (): Promise<Core> => createCore(getDefinition(await load(module), module), options, getLog, report)
runCoreActor(control, create, () => void setImmediate(() => process.exit()))

// Without its control port, core could neither take frontends nor learn that the bus closes.
control.once('close', () => {
  throw new BusError('InternalError', 'core closed its port to the host')
})

async function load(url: string): Promise<{ default?: unknown }> {
  try {
    return (await import(/* webpackIgnore: true */ /* @vite-ignore */ url)) as { default?: unknown }
  } catch (cause) {
    const why = describeThrown(explainTypeScript(cause))
    throw new BusError('InvalidParams', `The core module ${describeName(url)} could not be loaded: ${why}`, { cause })
  }
}
