// A process that measures one job, and exits with its parent. It loads only what it measures.
import { overIpc, serveRaw } from '../loops/peers.js'
import type { Measurement } from '../model/scenario.js'
import type { FreshJob } from '../run/processes.js'

async function measure(job: FreshJob): Promise<Measurement> {
  const { measureFewCalls, measurePlugin } = await import('../plugin/measure.js')
  return 'fewCalls' in job ? measureFewCalls(job.fewCalls) : measurePlugin(job.plugin)
}

process.once('disconnect', () => process.exit())
serveRaw(overIpc(process), { measure })
