// A process that measures one job, and exits with its parent. It loads only what it measures.
import type { FreshJob } from '../run/measure-fresh.js'
import type { Measurement } from '../scenarios/scenario.js'
import { overIpc, serveRaw } from '../loops/raw-calls.js'

async function measure(job: FreshJob): Promise<Measurement> {
  if ('fewCalls' in job) return (await import('../plugin/few-calls.js')).measureFewCalls(job.fewCalls)
  if ('size' in job) return (await import('../plugin/measure-density.js')).measureDensity(job.plugin, job.size)
  return (await import('../plugin/measure-plugins.js')).measurePlugins(job.plugin)
}

process.once('disconnect', () => process.exit())
serveRaw(overIpc(process), { measure })
