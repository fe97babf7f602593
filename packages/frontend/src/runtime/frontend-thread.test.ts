// The thread of scripts: the host takes another one if this one cannot be used.
import { once } from 'node:events'
import { MessageChannel, Worker } from 'node:worker_threads'
import type { FrontendPreparation, MemberPort } from '@sallyport/protocol/internal/contract'
import { expect, test } from 'vitest'

test('ends with the error of what all of its scripts need, which no later script gets', async () => {
  const sandbox = { unexpectedRead: undefined }
  const workerData: FrontendPreparation = { sandbox, hasText: false, runner: undefined }
  const worker = new Worker(new URL(import.meta.resolve('@sallyport/frontend/worker')), { workerData })
  const { port1, port2 } = new MessageChannel()
  worker.postMessage({ type: 'members', port: port2 } satisfies MemberPort, [port2])
  const ended = Promise.all([once(worker, 'error'), once(worker, 'exit').catch(() => {})])
  const [[error]] = await ended
  expect((error as Error).message).toBe("This worker does not run under Node's permission model")
  await expect.poll(() => worker.threadId).toBe(-1)
  port1.close()
})
