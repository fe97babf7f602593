// Measures once in a fresh process that loads only what it measures.
import type { Measurement } from '../scenarios/scenario.js'
import type { FewCallsJob } from '../plugin/few-calls.js'
import { forkPeer } from './fork-peer.js'
import { workerUrl } from '../shared/worker-url.js'

/** What the process measures. */
export type FreshJob = { fewCalls: FewCallsJob } | { plugin: string } | { plugin: string; size: number }

/** @throws Error if the measurement fails, or the process exits or takes too long */
export async function measureFresh(job: FreshJob, timeoutMs: number = 180_000): Promise<Measurement> {
  const { call, end } = forkPeer(workerUrl('fresh'), { timeoutMs })
  try {
    return (await call('measure', job)) as Measurement
  } finally {
    await end()
  }
}
