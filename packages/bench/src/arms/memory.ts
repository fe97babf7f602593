// The memory that a frontend takes: a host in a process of its own, because what other arms gave back would be taken first.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { Arm } from '../arm.js'
import type { Measurement } from '../task.js'

/** In bytes. */
export type MemoryReport = { rss: number } | { error: string }

/** @param sandbox a name of `SANDBOXES` */
export const memoryArm = (sandbox: string, title: string): Arm => ({
  id: sandbox,
  title,
  open: async () => ({ measure: () => measureOnce(sandbox), close: async () => {} }),
})

async function measureOnce(sandbox: string): Promise<Measurement> {
  const host = fork(new URL(import.meta.resolve('#workers/memory-host')), [sandbox], { execArgv: [] })
  const ended = once(host, 'exit')
  try {
    const told = once(host, 'message').then(([report]) => report as MemoryReport)
    const report = await Promise.race([told, ended.then(() => ({ error: 'the host has ended' }))])
    if ('error' in report) throw new Error(report.error)
    return { ...report }
  } finally {
    host.kill('SIGKILL')
    await ended
  }
}
