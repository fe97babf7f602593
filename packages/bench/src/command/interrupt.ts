// Ctrl-C ends a run, its threads, and then the process: with the exit code that a shell gives for it, and no report.

/** 128 and the signal's number. A terminal that is closed hangs up. */
const EXITS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const

export class Interrupted extends Error {
  override name = 'Interrupted'
  readonly exitCode: number

  constructor(signal: keyof typeof EXITS) {
    super('Stopped. No report was written.')
    this.exitCode = EXITS[signal]
  }
}

/** How long threads may take to end by themselves, in milliseconds. */
const PATIENCE_MS = 3000

/** A signal that Ctrl-C aborts, with an `Interrupted` as its reason. A second Ctrl-C ends the process at once. */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController()
  for (const name of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) {
    const reason = new Interrupted(name)
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(reason.exitCode)
      setTimeout(() => process.exit(reason.exitCode), PATIENCE_MS).unref()
      controller.abort(reason)
    })
  }
  return controller.signal
}
