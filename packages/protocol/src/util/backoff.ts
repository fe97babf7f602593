// The delay before another attempt: of restarts, spare processes, and connections to NATS, a page's host and an MCP server.
export interface BackoffOptions {
  /** Milliseconds before the first attempt, without jitter. */
  min: number
  /** Milliseconds at most. */
  max: number
  /** Growth from one attempt to the next. @default 2 */
  factor?: number
  /** A random number from 0 to 1: the share of up to half of the delay to leave out, so that peers do not retry in step. @default 0 */
  random?: number
}

/** Returns the milliseconds to wait before attempt number `attempt`, counted from 0: exponential backoff with optional jitter. */
export const getBackoff = (attempt: number, { min, max, factor = 2, random = 0 }: BackoffOptions): number =>
  // The exponent is bounded, so that `min: 0` times infinity is not NaN.
  Math.min(max, min * factor ** Math.min(attempt, 30)) * (1 - random / 2)
