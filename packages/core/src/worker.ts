// Entry of the core worker: loads the user's core module and serves it.
import { parentPort, workerData } from 'node:worker_threads'
import { beat } from '@sallyport/protocol/internal/contract'
import { BusError, describeName, describeThrown, explainTypeScript } from '@sallyport/protocol/internal/errors'
import { setDevelopment } from '@sallyport/protocol/internal/util'
import { getDefinition } from './api/validate-definition.js'
import type { CoreReport, CoreThreadData, CoreWorkerData } from './contract/host-core.js'
import { createCoreLog, runCoreActor } from './core-thread/core-actor.js'
import { type Core, createCore } from './core-thread/core.js'
import { sendAhead } from './core-thread/send-ahead.js'
import { warmUpSession } from './core-thread/warm-up-session.js'

const control = parentPort!
// The data comes first, and commands follow at once.
control.once('message', (data: CoreWorkerData) => run(data))
// The host can still be loading its own code.
void warmUpSession((workerData as CoreThreadData).isIsolated)

// Without its control port, core could neither take frontends nor learn that the bus closes.
control.once('close', () => {
  throw new BusError('InternalError', 'core closed its port to the host')
})

function run({ module, heartbeat, development, sourceMaps, ...options }: CoreWorkerData): void {
  setDevelopment(development)
  if (sourceMaps) process.setSourceMapsEnabled(true)
  beat(heartbeat)
  for (const stream of [process.stdout, process.stderr]) sendAhead(stream)
  const report = (message: CoreReport): void => control.postMessage(message)
  const getLog = createCoreLog(options.logLevel, line => report({ type: 'log', line }))
  const create = async (): Promise<Core> =>
    createCore(getDefinition(await load(module), module), options, getLog, report)
  runCoreActor(control, create, () => void setImmediate(() => process.exit()))
}

async function load(url: string): Promise<{ default?: unknown }> {
  try {
    return await import(/* webpackIgnore: true */ /* @vite-ignore */ url)
  } catch (cause) {
    const why = describeThrown(explainTypeScript(cause))
    throw new BusError('InvalidParams', `The core module ${describeName(url)} could not be loaded: ${why}`, { cause })
  }
}
