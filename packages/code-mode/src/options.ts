// Options that all adapters share.
import type { RunLimits, RunOptions } from '@sallyport/core'

/** Options of `bus.run` for each run of code, such as `sandbox`, `allow` and `timeout`. */
export interface CodeModeOptions extends Omit<RunOptions, 'args' | 'functions'> {
  /** Any sandbox of `bus.run`. @default 'quickjs' */
  sandbox?: NonNullable<RunOptions['sandbox']>
  /** A limit that is `undefined` does not hold. @default { calls: 256, resultBytes: 1 MiB, consoleBytes: 64 KiB } */
  limits?: RunLimits
}

export const DEFAULT_LIMITS: RunLimits = { calls: 256, resultBytes: 2 ** 20, consoleBytes: 2 ** 16 }
