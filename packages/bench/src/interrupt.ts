// Ctrl-C ends a run, its threads, and then the process: with the exit code that a shell gives for it, and no report.

export class Interrupted extends Error {
  override name = 'Interrupted'
  readonly exitCode: number

  constructor(signal: 'SIGINT' | 'SIGTERM') {
    super('Stopped. No report was written.')
    this.exitCode = signal === 'SIGINT' ? 130 : 143
  }
}

/** How long threads may take to end by themselves, in milliseconds. */
const PATIENCE_MS = 3000

/** A signal that Ctrl-C aborts, with an `Interrupted` as its reason. A second Ctrl-C ends the process at once. */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    const reason = new Interrupted(name)
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(reason.exitCode)
      setTimeout(() => process.exit(reason.exitCode), PATIENCE_MS).unref()
      controller.abort(reason)
    })
  }
  return controller.signal
}
