// Measures once in a fresh process that loads only what it measures.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { Measurement } from '../model/scenario.js'
import type { FewCallsJob } from '../plugin/few-calls.js'
import { workerUrl } from '../shared/worker-url.js'

/** What the process measures. */
export type FreshJob = { fewCalls: FewCallsJob } | { plugin: string } | { plugin: string; size: number }

/** What it posts. */
export type Reply = { figures: Measurement } | { error: string }

export interface FreshOptions {
  /** Options of Node.js. */
  execArgv?: readonly string[]
  /** @default 180000 */
  timeoutMs?: number
}

const TIMEOUT_MS = 180_000

/** @throws Error if the measurement fails, or the process exits or takes too long */
export async function measureFresh(
  job: FreshJob,
  { execArgv = [], timeoutMs = TIMEOUT_MS }: FreshOptions = {},
): Promise<Measurement> {
  const child = fork(workerUrl('fresh'), [JSON.stringify(job)], {
    ...{ execArgv: [...execArgv], serialization: 'advanced', stdio: ['ignore', 'ignore', 'inherit', 'ipc'] },
    env: { ...process.env, NODE_ENV: 'production' },
  })
  const exited = once(child, 'exit') as Promise<[number | null, string | null]>
  try {
    const reply = await new Promise<Reply>((resolve, reject) => {
      child.once('message', message => resolve(message as Reply))
      exited.then(
        ([code, signal]) =>
          reject(new Error(`The process of the arm exited ${signal ? `by ${signal}` : `with code ${code}`}`)),
        reject,
      )
      AbortSignal.timeout(timeoutMs).addEventListener('abort', () =>
        reject(new Error(`No answer within ${timeoutMs} ms`)),
      )
    })
    if ('error' in reply) throw new Error(reply.error)
    return reply.figures
  } finally {
    child.kill('SIGKILL')
    await exited.catch(() => {})
  }
}
