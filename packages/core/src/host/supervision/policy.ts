// When a worker that has ended is started again, in the terms of Erlang's OTP: a policy, and an intensity within a period,
// beyond which it has failed. Delays double from one failure to the next.

export interface SupervisionOptions {
  /**
   * `permanent`: however it has ended. `transient`: where it has ended with an error. `temporary`: never. Core is permanent by
   * default, a frontend transient: one that ends itself with exit code 0 has finished.
   */
  restart?: 'permanent' | 'transient' | 'temporary'
  /** It has failed where it would have to be started again more often than this within the period; 3 by default. */
  intensity?: number
  /** Milliseconds; 5000 by default. */
  period?: number
  /** Milliseconds before it is started again, 100 to 5000 by default: twice as many each time, less up to a half by chance. */
  delay?: { min?: number; max?: number }
  /**
   * Milliseconds after which a thread that does nothing but compute is ended; 10 000 by default. `false`: never. Long work
   * belongs in a command with a `thread` of its own.
   */
  heartbeat?: number | false
}

/** The same, with its defaults. */
export interface Supervision {
  restart: 'permanent' | 'transient' | 'temporary'
  intensity: number
  period: number
  delay: { min: number; max: number }
  heartbeat: number | false
}

const DEFAULTS: Omit<Supervision, 'restart'> = {
  intensity: 3,
  period: 5000,
  delay: { min: 100, max: 5000 },
  heartbeat: 10_000,
}

/** Of what was given, the last that says something counts. */
export function getSupervision(
  restart: Supervision['restart'],
  ...given: readonly (SupervisionOptions | undefined)[]
): Supervision {
  const supervision: Supervision = { ...DEFAULTS, restart }
  for (const { delay, ...options } of given.filter(one => one !== undefined)) {
    Object.assign(supervision, options)
    supervision.delay = { ...supervision.delay, ...delay }
  }
  return supervision
}

export type RestartLimits = Pick<Supervision, 'intensity' | 'period' | 'delay'>

/** What is remembered of a worker's restarts. */
export interface RestartHistory {
  /** In all. */
  readonly count: number
  /** When those were that count. */
  readonly recent: readonly number[]
  /** Of the restarts one soon after the other. */
  readonly streak: number
  readonly delay: number
}

export const NO_RESTARTS: RestartHistory = { count: 0, recent: [], streak: 0, delay: 0 }

/**
 * The history with one restart more, or `undefined` where that is one too many.
 *
 * @param random from 0 to 1
 */
export function nextRestart(
  { count, recent, streak, delay }: RestartHistory,
  { intensity, period, delay: { min, max } }: RestartLimits,
  now: number,
  random: number,
): RestartHistory | undefined {
  const counting = recent.filter(at => now - at < period)
  if (counting.length >= intensity) return undefined
  const last = recent.at(-1)
  const soon = last !== undefined && now - last - delay < period
  const next = soon ? streak + 1 : 0
  const whole = Math.min(max, min * 2 ** Math.min(next, 30))
  return { count: count + 1, recent: [...counting, now], streak: next, delay: Math.round(whole * (1 - random / 2)) }
}

/** Where a worker is in its life: docs/machines.md. */
export type WorkerState =
  | 'starting'
  | 'running'
  | 'leaving'
  | 'reloading'
  | 'backingOff'
  /** In development: it has failed, and waits for a change or `bus.reload`. */
  | 'waiting'
  | 'draining'
  | 'stopped'
  | 'failed'

export interface WorkerStats {
  state: WorkerState
  /** How often it was started again. */
  restarts: number
}
