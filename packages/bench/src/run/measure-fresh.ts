// Measures once in a fresh process that loads only what it measures.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { workerUrl } from '../shared/worker-url.js'
import type { Reply } from './answer-parent.js'

export interface FreshOptions {
  /** Options of Node.js. */
  execArgv?: readonly string[]
  /** @default 60000 */
  timeoutMs?: number
}

const TIMEOUT_MS = 60_000

/**
 * Runs `dist/workers/<name>.js`, which calls `answerParent`.
 *
 * @throws Error if the measurement fails, or the process exits or takes too long
 */
export async function measureFresh<Job, Result>(
  name: string,
  job: Job,
  { execArgv = [], timeoutMs = TIMEOUT_MS }: FreshOptions = {},
): Promise<Result> {
  const child = fork(workerUrl(name), [JSON.stringify(job)], {
    ...{ execArgv: [...execArgv], serialization: 'advanced', stdio: ['ignore', 'ignore', 'inherit', 'ipc'] },
    env: { ...process.env, NODE_ENV: 'production' },
  })
  const exited = once(child, 'exit') as Promise<[number | null, string | null]>
  try {
    const reply = await new Promise<Reply<Result>>((resolve, reject) => {
      child.once('message', message => resolve(message as Reply<Result>))
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
    return reply.result
  } finally {
    child.kill('SIGKILL')
    await exited.catch(() => {})
  }
}
