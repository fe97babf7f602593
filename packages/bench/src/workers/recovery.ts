// Core crashes, and its frontend asks again and again: how long from the crash until it is answered?
import { setTimeout as delay } from 'node:timers/promises'
import type { Measurement } from '../task.js'
import { sharedClock } from './bench-event.js'
import { checkAnswer, type ReadyCall } from './check.js'
import type { Subject } from './subject.js'

/** Between two questions, and until when there has to be an answer, in milliseconds. */
const ASK_MS = 1
const PATIENCE_MS = 20_000

/** The one who answers has to be another than the one who crashed: it says when it was born. */
export async function measureRecovery(subject: Subject, [call]: readonly ReadyCall[]): Promise<Measurement> {
  const at = Number(await subject.call('crash', {}))
  const until = performance.now() + PATIENCE_MS
  while (sharedClock() < at) await delay(ASK_MS)
  while (performance.now() < until) {
    try {
      const answer = await subject.call(call!.command, call!.args)
      const time = sharedClock() - at
      checkAnswer(call!, answer)
      if (Number(await subject.call('born', {})) < at) throw new Error('core has not crashed')
      return { time }
    } catch (error) {
      if ((error as { reason?: unknown }).reason !== 'Disconnected') throw error
      await delay(ASK_MS)
    }
  }
  throw new Error(`no answer ${PATIENCE_MS} ms after the crash`)
}
