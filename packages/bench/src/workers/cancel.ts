// A call that is given up: how long until its caller knows, and how long until its handler does.
import type { Measurement } from '../task.js'
import { sharedClock } from './bench-event.js'
import { percentiles } from './percentiles.js'
import type { Subject } from './subject.js'

/** One call after the other. Each is aborted once its handler runs, and both sides say when they heard of it. */
export async function measureCancel(subject: Subject, ms: number): Promise<Measurement> {
  const { callUntil } = subject
  if (!callUntil) throw new Error('this arm cancels nothing')
  const settled: number[] = []
  const heard: number[] = []
  const end = performance.now() + ms
  do {
    const id = settled.length
    const controller = new AbortController()
    let at = 0
    const given = callUntil('wait', { id }, controller.signal).then(
      () => Promise.reject(new Error('a call that was cancelled was answered')),
      (error: unknown) => {
        if (!controller.signal.aborted) throw error
        at = sharedClock()
      },
    )
    // Calls arrive in their order: with this answer, the handler runs.
    if ((await Promise.race([subject.call('waits', { id }), given])) !== true)
      throw new Error('the handler does not run')
    const start = sharedClock()
    controller.abort()
    await given
    settled.push((at - start) / 1e3)
    heard.push((Number(await subject.call('heard', { id })) - start) / 1e3)
  } while (performance.now() < end)
  return {
    settled: percentiles(Float64Array.from(settled)).p50,
    signal: percentiles(Float64Array.from(heard)).p50,
  }
}

/** In core, or its like: calls that wait until they are given up, and when each heard of it. */
export class Waiting {
  readonly #heard = new Map<number, Promise<number>>()

  /** Never answers; rejects when it is given up. */
  wait(id: number, signal: AbortSignal): Promise<never> {
    const heard = new Promise<number>(resolve => {
      signal.addEventListener('abort', () => resolve(sharedClock()), { once: true })
    })
    this.#heard.set(id, heard)
    return heard.then(() => Promise.reject(new Error('given up')))
  }

  waits(id: number): boolean {
    return this.#heard.has(id)
  }

  /** By the clock that all threads share, in µs. */
  heard(id: number): Promise<number> | undefined {
    const heard = this.#heard.get(id)
    this.#heard.delete(id)
    return heard
  }
}
