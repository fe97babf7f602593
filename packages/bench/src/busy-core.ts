// One core that another process takes: a state that polling must not make worse. Nothing of it is left behind, however the
// benchmark ends: the process ends itself when its channel to this one is gone.
import { fork } from 'node:child_process'
import { once } from 'node:events'

/** Resolves when the core is taken, to what gives it back. */
export async function takeOneCore(): Promise<() => Promise<void>> {
  const taker = fork(new URL(import.meta.resolve('#workers/take-core')))
  const ended = new Promise(resolve => taker.once('exit', resolve))
  const failed = ended.then(() => Promise.reject(new Error('the process that takes a core has ended')))
  await Promise.race([once(taker, 'message'), failed])
  failed.catch(() => {})
  return async () => {
    taker.kill('SIGKILL')
    await ended
  }
}
