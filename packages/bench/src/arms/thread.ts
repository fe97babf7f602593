// Workers of the benchmark's own, and an arm made of one or more of them.
import { Worker, type MessagePort } from 'node:worker_threads'
import type { OpenArm } from '../arm.js'
import type { Reply } from '../workers/serve.js'
import { converse } from './conversation.js'

/** Starts `dist/workers/<name>.js`, from sources under a test runner as from the installed package. */
export const startWorker = (name: string, workerData?: unknown, transferList: MessagePort[] = []): Worker =>
  new Worker(workerUrl(name), { workerData, transferList })

export const workerUrl = (name: string): URL => new URL(import.meta.resolve(`#workers/${name}`))

/** An arm whose loops run in the thread `measuring`. All its threads end together. */
export function threadArm(measuring: Worker, ...others: Worker[]): OpenArm {
  const threads = [measuring, ...others]
  const conversation = converse(request => measuring.postMessage(request))
  measuring.on('message', (reply: Reply) => conversation.receive(reply))
  for (const thread of threads) {
    thread.on('error', (error: Error) => conversation.fail(error))
    thread.on('exit', () => conversation.fail(new Error('one of its threads ended')))
  }
  return {
    measure: conversation.measure,
    close: async () => void (await Promise.all(threads.map(thread => thread.terminate()))),
  }
}
