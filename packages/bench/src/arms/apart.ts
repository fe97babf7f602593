// A measurement in a process of its own, started for it alone: of memory, because what other arms gave back would be taken first.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { Measurement } from '../task.js'

/** What the process sends, once. */
export type ApartReport = { figures: Measurement } | { error: string }

/** @param worker a file of `workers` that calls `tellApart` */
export async function measureApart(worker: string, args: readonly string[]): Promise<Measurement> {
  const host = fork(new URL(import.meta.resolve(`#workers/${worker}`)), args, { execArgv: [] })
  const ended = once(host, 'exit')
  try {
    const told = once(host, 'message').then(([report]) => report as ApartReport)
    const report = await Promise.race([told, ended.then(() => ({ error: 'the host has ended' }))])
    if ('error' in report) throw new Error(report.error)
    return report.figures
  } finally {
    host.kill('SIGKILL')
    await ended
  }
}

/** In that process: measures, and tells what came out. It ends itself when whoever started it is gone. */
export async function tellApart(measure: () => Promise<Measurement>): Promise<void> {
  process.on('disconnect', () => process.exit())
  const report: ApartReport = await measure().then(
    figures => ({ figures }),
    (error: unknown) => ({ error: error instanceof Error ? error.message : String(error) }),
  )
  process.send?.(report)
  process.disconnect()
}
