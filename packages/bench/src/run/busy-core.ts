// One core that another process takes: a state that polling must not make worse. Nothing of it is left behind, however the
// benchmark ends: the process ends itself when its channel to this one is gone.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { Beside } from '../scenario.js'

export interface TakenCore extends Beside {
  pid: number
}

/** Resolves when the core is taken. */
export async function takeOneCore(): Promise<TakenCore> {
  const taker = fork(new URL(import.meta.resolve('#workers/take-core')), { execArgv: [] })
  const ended = new Promise<void>(resolve => void taker.once('exit', () => resolve()))
  await Promise.race([
    once(taker, 'message'),
    ended.then(() => {
      throw new Error('the process that takes a core has ended')
    }),
  ])
  return {
    pid: taker.pid!,
    end: () => {
      taker.kill('SIGKILL')
      return ended
    },
  }
}
