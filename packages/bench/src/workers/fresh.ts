// A process that measures one job, posts the figures, and exits with its parent. It loads only what it measures.
import type { FreshJob, Reply } from '../fresh/measure-fresh.js'
import type { Measurement } from '../model/scenario.js'

process.once('disconnect', () => process.exit())
const job = JSON.parse(process.argv[2]!) as FreshJob
const measure = async (): Promise<Measurement> =>
  'fewCalls' in job
    ? (await import('../plugin/few-calls.js')).measureFewCalls(job.fewCalls)
    : 'size' in job
      ? (await import('../plugin/measure-density.js')).measureDensity(job.plugin, job.size)
      : (await import('../plugin/measure-plugins.js')).measurePlugins(job.plugin)
const reply = await measure().then(
  (figures): Reply => ({ figures }),
  (error: unknown): Reply => ({ error: error instanceof Error ? error.message : String(error) }),
)
process.send!(reply)
