// Decides when a worker restarts, in the terms of Erlang's OTP: a policy, and an intensity within a period beyond which the
// worker has failed. It has also failed if it ends that often in a row before it has served anything: how many of these ends fit into
// the period would depend on the machine. Delays double from one failure to the next.
import { getBackoff } from '@sallyport/protocol/internal/util'

/** When a worker restarts: see the page "Reliability" of the documentation. */
export interface SupervisionOptions {
  /**
   * Restarts the worker: `permanent` always, `transient` after an error, `temporary` never. By default, core is
   * permanent and a frontend is transient: a frontend that exits with code 0 has finished.
   *
   * Two limits end this, and the worker has failed: more than `intensity` restarts within `period`, and as many in a row of a worker
   * that had not served anything: no call of it or to it succeeded, and it was ready for less than `period`.
   */
  restart?: 'permanent' | 'transient' | 'temporary'
  /** Limits restarts within the period, and those in a row; one more and the worker has failed. @default 3 */
  intensity?: number
  /** Counts restarts over so many milliseconds. Code that was ready for so long does not count in a row. @default 5000 */
  period?: number
  /**
   * Waits before a restart, in milliseconds. Doubles after each restart, with up to 50 % random jitter, and resets after `period` without a restart.
   *
   * @default { min: 100, max: 5000 }
   */
  delay?: { min?: number; max?: number }
  /**
   * Ends a thread whose event loop is blocked for so many milliseconds; `false` for never. Long computations belong in the
   * thread pool: `command({ thread })`.
   *
   * @default 10000
   */
  heartbeat?: number | false
}

/** `SupervisionOptions` with the defaults applied. */
export interface SupervisionConfig extends Required<SupervisionOptions> {
  delay: { min: number; max: number }
}

const DEFAULTS: Omit<SupervisionConfig, 'restart'> = {
  intensity: 3,
  period: 5000,
  delay: { min: 100, max: 5000 },
  heartbeat: 10_000,
}

/** Applies the defaults. Later options override earlier ones. */
export function resolveSupervision(
  restart: SupervisionConfig['restart'],
  ...overrides: readonly (SupervisionOptions | undefined)[]
): SupervisionConfig {
  const supervision: SupervisionConfig = { ...DEFAULTS, restart }
  for (const { delay, ...options } of overrides.filter(options => options !== undefined)) {
    Object.assign(supervision, options)
    supervision.delay = { ...supervision.delay, ...delay }
  }
  return supervision
}

export interface RestartHistory {
  readonly count: number
  /** Times of the restarts within the period that count against `intensity`. */
  readonly recent: readonly number[]
  /** Number of ends in a row before the worker had served anything. */
  readonly early: number
  /** Time of the last restart. */
  readonly last: number | undefined
  /** Number of restarts that each followed soon after the previous one. */
  readonly streak: number
  readonly delay: number
}

export const NO_RESTARTS: RestartHistory = {
  count: 0,
  recent: [],
  early: 0,
  last: undefined,
  streak: 0,
  delay: 0,
}

export interface WorkerEnd {
  /** False if another worker is to blame: the restart does not count against `intensity`. */
  readonly isOwnFault: boolean
  /** True if the worker had not served anything. */
  readonly isEarly: boolean
}

/** Returns the history with one more restart; `undefined` if that is one too many. */
export function nextRestart(
  history: RestartHistory,
  { isOwnFault, isEarly }: WorkerEnd,
  { intensity, period, delay: limits }: SupervisionConfig,
  now: number,
  random: number,
): RestartHistory | undefined {
  const { recent, last, streak, delay } = history
  const withinPeriod = recent.filter(at => now - at < period)
  const early = isOwnFault ? (isEarly ? history.early + 1 : 0) : history.early
  if (isOwnFault && (early > intensity || withinPeriod.length >= intensity)) return undefined
  const isSoon = last !== undefined && now - last - delay < period
  const nextStreak = isSoon ? streak + 1 : 0
  return {
    count: history.count + 1,
    recent: isOwnFault ? [...withinPeriod, now] : withinPeriod,
    early,
    last: now,
    streak: nextStreak,
    delay: Math.round(getBackoff(nextStreak, { ...limits, random })),
  }
}

/**
 * Returns a function for each restart of a program: it returns the milliseconds to wait, or `undefined` if it was one restart too many. The rules are those
 * of the bus for its workers: at most `intensity` restarts within `period`, with delays that double.
 */
export function createRestartPolicy(
  options?: Pick<SupervisionOptions, 'intensity' | 'period' | 'delay'>,
): () => number | undefined {
  const supervision = resolveSupervision('permanent', options)
  let history = NO_RESTARTS
  return () => {
    const next = nextRestart(
      history,
      { isOwnFault: true, isEarly: false },
      supervision,
      performance.now(),
      Math.random(),
    )
    history = next ?? history
    return next?.delay
  }
}

/** The state of a worker: see the page "State machines" of the documentation. */
export type WorkerState =
  | 'starting'
  | 'running'
  | 'leaving'
  | 'reloading'
  | 'backingOff'
  /** In development: the worker failed and waits for a file change or `bus.reload`. */
  | 'waiting'
  | 'draining'
  /** No page has the label now. Only of frontends with the sandbox `external`, whose code comes and goes. */
  | 'disconnected'
  | 'stopped'
  | 'failed'

/** Milliseconds that calls in flight are given to finish when a bus closes, by default. */
export const DEFAULT_CLOSE_MS = 1000

/** Figures of one worker. */
export interface WorkerStats {
  /** The state of its lifecycle. */
  state: WorkerState
  /** Number of restarts. */
  restarts: number
}
