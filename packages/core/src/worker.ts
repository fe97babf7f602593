// The entry of the core worker: loads the user's core module and serves it.
import { BusError, beat, describeName, describeThrown, reportError } from '@sallyport/protocol'
import { startWorkerActor } from '@sallyport/protocol/actor'
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import type { Attachment, CoreCommand, CoreReport, CoreWorkerData } from './control.js'
import { createCore, type Core } from './core.js'
import { definitionOf } from './definition.js'
import { createCoreLog } from './log.js'

const { module, heartbeat, ...options } = workerData as CoreWorkerData
beat(heartbeat)
const control = parentPort!
const report = (message: CoreReport): void => control.postMessage(message)
const getLog = createCoreLog(options.logLevel, line => report({ type: 'log', line }))

/** Links that the host has handed over before core was there. */
const waiting: Attachment[] = []
let core: Core | undefined
let patience = 0

const actor = startWorkerActor({
  async boot() {
    core = await createCore(definitionOf(await load(module), module), { ...options, module }, getLog, report)
  },
  handshake: async () => waiting.forEach(attach),
  serve: () => () => void core?.close(),
  async drain() {
    // What had arrived before the word to stop is served: it takes the loop a turn to come to every port.
    await nextTurn()
    await nextTurn()
    const until = performance.now() + patience
    await Promise.race([core?.drain(), delay(patience, undefined, { ref: false })])
    await core?.close(Math.max(0, until - performance.now()))
  },
  entered(state, error) {
    report(error === undefined ? { type: 'state', state } : { type: 'state', state, error: reportError(error) })
    if (state === 'stopped' || state === 'failed') setImmediate(() => process.exit())
  },
})

control.on('message', (command: CoreCommand) => {
  if (command.type === 'stop') {
    patience = command.timeout
    actor.stop()
  } else if (command.type === 'begin') core?.begin(command.label)
  else if (command.type === 'measure') report({ type: 'measured', running: core?.measure() ?? [] })
  else if (command.type === 'end') core?.end(command.label)
  else if (core) attach(command.attachment)
  else waiting.push(command.attachment)
})

// Deaf to the host it takes no more frontends, and knows of no end.
control.once('close', () => {
  throw new BusError('InternalError', 'core has closed its port to the host')
})

function attach(attachment: Attachment): void {
  core?.attach(attachment)
  const { label, id } = attachment
  if (label !== undefined) report({ type: 'attached', label, id })
}

async function load(url: string): Promise<{ default?: unknown }> {
  try {
    return (await import(url)) as { default?: unknown }
  } catch (cause) {
    const why = describeThrown(cause)
    throw new BusError('InvalidParams', `The core module ${describeName(url)} can’t be loaded: ${why}`, { cause })
  }
}
