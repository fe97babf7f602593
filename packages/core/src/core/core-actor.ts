// The life of core, in whatever thread it runs: it is made, takes links, drains, and tells its host of each state.
import { createRequire } from 'node:module'
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises'
import { reportError } from '@sallyport/protocol'
import { startWorkerActor } from '@sallyport/protocol/actor'
import type { Logger } from 'pino'
import type { Attachment, CoreCommand, CoreReport } from '../contract/control.js'
import type { Core } from './core.js'

export interface CoreActorHost {
  create(): Promise<Core>
  /** Calls `take` for each word of the host's. */
  hear(take: (command: CoreCommand) => void): void
  tell(report: CoreReport): void
  /** It has stopped or failed. */
  ended(): void
}

export function runCoreActor({ create, hear, tell, ended }: CoreActorHost): void {
  /** Links that the host has handed over before core was there. */
  const waiting: Attachment[] = []
  let core: Core | undefined
  let patience = 0

  const actor = startWorkerActor({
    async boot() {
      core = await create()
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
      tell(error === undefined ? { type: 'state', state } : { type: 'state', state, error: reportError(error) })
      if (state === 'stopped' || state === 'failed') ended()
    },
  })

  hear(command => {
    if (command.type === 'stop') {
      patience = command.timeout
      actor.stop()
    } else if (command.type === 'begin') core?.begin(command.label)
    else if (command.type === 'measure') tell({ type: 'measured', ...(core?.measure() ?? { running: [] }) })
    else if (command.type === 'confirmed') core?.answer(command.id, command.agreed)
    else if (command.type === 'end') core?.end(command.label)
    else if (core) attach(command.attachment)
    else waiting.push(command.attachment)
  })

  function attach(attachment: Attachment): void {
    core?.attach(attachment)
    const { label, id } = attachment
    if (label !== undefined) tell({ type: 'attached', label, id })
  }
}

// Core's log: pino, whose lines go to the host, so that a bus has one log wherever its threads run. It is loaded with the
// first thing that there is to log: a core that starts has nothing to say.

const require = createRequire(import.meta.url)

export function createCoreLog(level: string, write: (line: string) => void): () => Logger {
  let log: Logger | undefined
  return () => {
    if (!log) {
      const { pino } = require('pino') as typeof import('pino')
      log = pino({ level, base: { actor: 'core' } }, { write })
    }
    return log
  }
}
