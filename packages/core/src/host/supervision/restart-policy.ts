// The rules by which the bus restarts its workers, for what a host starts itself.
import { nextRestart, NO_RESTARTS, resolveSupervision, type SupervisionOptions } from './policy.js'

/** Decides about each restart of one program. */
export interface RestartPolicy {
  /** Returns the milliseconds to wait before a restart, or `undefined` if it was one restart too many. */
  next(): number | undefined
}

/** Returns the rules of the bus for its workers: at most `intensity` restarts within `period`, with delays that double. */
export function createRestartPolicy(
  options?: Pick<SupervisionOptions, 'intensity' | 'period' | 'delay'>,
): RestartPolicy {
  const supervision = resolveSupervision('permanent', options)
  let history = NO_RESTARTS
  return {
    next() {
      const next = nextRestart(history, true, supervision, performance.now(), Math.random())
      if (!next) return undefined
      history = next
      return next.delay
    },
  }
}
