// A process that measures one job, and exits with its parent. It loads only what it measures.
import type { FreshJob } from '../fresh/measure-fresh.js'
import type { Measurement } from '../model/scenario.js'
import { overIpc, serveRaw } from '../peers/raw-calls.js'

async function measure(job: FreshJob): Promise<Measurement> {
  if ('fewCalls' in job) return (await import('../plugin/few-calls.js')).measureFewCalls(job.fewCalls)
  if ('size' in job) return (await import('../plugin/measure-density.js')).measureDensity(job.plugin, job.size)
  return (await import('../plugin/measure-plugins.js')).measurePlugins(job.plugin)
}

process.once('disconnect', () => process.exit())
serveRaw(overIpc(process), { measure })
