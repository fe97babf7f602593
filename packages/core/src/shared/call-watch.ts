// What counts calls in core's thread while an inspector is open: the `CallWatch` of @sallyport/inspector. Core has none otherwise.
import type { Outcome } from '@sallyport/protocol/internal/rpc'

export interface WatchedCall {
  /** `abortReason`: why nobody waits for its answer any more. Its handler can go on. */
  call: { readonly abortReason?: Error | undefined }
  command: string
  label: string
  /** True for a stream, or a call with an open channel: it may take long. */
  isLongLived: boolean
}

/** Watches the calls of one core. */
export interface CallWatch {
  /** Sessions of one label share a watch. */
  getCaller(label: string): CallerWatch
  /** Returns a report for the inspector, since the previous one. */
  report(running: Iterable<WatchedCall>): unknown
}

/** Watches the calls of one label. */
export interface CallerWatch {
  /**
   * Counts a call, and runs it.
   *
   * @param message - identifies the call for `addAnswer`
   * @param args - of which only the size is recorded
   * @param isKnown - false for a command that is not registered: names that callers choose are not bounded
   */
  run(
    message: object,
    command: string,
    args: unknown,
    isKnown: (command: string) => boolean,
    run: () => Outcome | Promise<Outcome>,
  ): void
  /** Records the size of a call's result. */
  addAnswer(message: object, result: unknown): void
  addFailure(command: string, reason: string): void
  addDuration(command: string, nanoseconds: number): void
}
