// The lifecycle of a core in any thread: it starts, is attached to links, drains, and reports each state to its host.
import { createRequire } from 'node:module'
import { setImmediate as nextTick } from 'node:timers/promises'
import type { MessagePort } from 'node:worker_threads'
import { serveLife, within } from '@sallyport/protocol/internal/contract'
import { reportError } from '@sallyport/protocol/internal/errors'
import { connectDirect } from '@sallyport/protocol/internal/link'
import { assertNever } from '@sallyport/protocol/internal/util'
import type { Logger } from 'pino'
import type { LinkOffer, CoreCommand, CoreReport } from '../contract/host-core.js'
import type { Core } from './core.js'

/** Serves the host at `port`. @param onEnd - called after the core has stopped or failed */
export function runCoreActor(port: MessagePort, create: () => Promise<Core>, onEnd: () => void): void {
  const report = (message: CoreReport): void => port.postMessage(message)
  const pending: CoreCommand[] = []
  let core: Core | undefined
  let stopTimeoutMs = 0

  const stop = serveLife({
    async boot() {
      core = await create()
      if (core.scripts.length > 0) report({ type: 'scripts', scripts: core.scripts })
    },
    handshake: async () => pending.forEach(handle),
    serve: () => () => void core?.close(),
    async drain() {
      // Serves calls that arrived before the command to stop: the event loop takes a tick to read every port.
      await nextTick()
      await nextTick()
      const deadline = performance.now() + stopTimeoutMs
      await within(stopTimeoutMs, core!.drain())
      await core!.close(Math.max(0, deadline - performance.now()))
    },
    onState(state, error) {
      report(error === undefined ? { type: 'state', state } : { type: 'state', state, error: reportError(error) })
      if (state === 'stopped' || state === 'failed') onEnd()
    },
  })

  port.on('message', handle)

  function handle(command: CoreCommand): void {
    if (command.type === 'stop') {
      stopTimeoutMs = command.timeout
      stop()
    } else if (command.type === 'measure') void measure(command.watchCalls)
    // A process waits for it until it starts.
    else if (command.type === 'socket') connectDirect(command.socket)
    else if (core) run(core, command)
    else pending.push(command)
  }

  function run(running: Core, command: Exclude<CoreCommand, { type: 'stop' | 'measure' | 'socket' }>): void {
    switch (command.type) {
      case 'attach':
        return attach(running, command.offer)
      case 'begin':
        return running.sessions.begin(command.frontend)
      case 'detach':
        return running.sessions.detach(command.link, command.end)
      case 'idle':
        return running.idle(command)
      case 'explain':
        return void explain(running, command.id, command.label)
      case 'confirmed':
        return running.confirmRequests.answer(command.id, command.answer)
      case 'hold':
        return running.holdEvents(command.holds)
      default:
        return assertNever(command)
    }
  }

  async function measure(watchCalls: boolean | undefined): Promise<void> {
    if (watchCalls !== undefined) await core?.watchCalls(watchCalls)
    report({ type: 'measured', ...(core?.measure() ?? { running: [] }) })
  }

  async function explain(running: Core, id: number, label: string): Promise<void> {
    try {
      report({ type: 'explained', id, explained: await running.explain(label) })
    } catch (error) {
      report({ type: 'explained', id, error: reportError(error) })
    }
  }

  function attach(running: Core, offer: LinkOffer): void {
    const { frontend, id } = offer
    try {
      running.attach(offer)
      if (frontend !== undefined) report({ type: 'attached', frontend, id })
    } catch (error) {
      // Core cannot serve without the host's own link.
      if (frontend === undefined) throw error
      report({ type: 'rejected', frontend, id, error: reportError(error) })
    }
  }
}

const require = createRequire(import.meta.url)

/**
 * Returns a function that returns core's log: pino, whose lines go to the host, so that a bus has one log in all threads. Pino
 * is loaded with the first line, because a core that starts well logs nothing.
 */
export function createCoreLog(level: string, write: (line: string) => void): () => Logger {
  let log: Logger | undefined
  const load = (): typeof import('pino') => require('pino') as typeof import('pino')
  return () => (log ??= load().pino({ level, base: { worker: 'core' } }, { write }))
}
