// A process of the benchmark, which does one of two things: it opens arms and measures them on request, or measures one job, of which it then loads
// nothing else. Its argument is the file with the user's payloads.
import { overIpc, serveRaw } from '../loops/peers.js'
import type { OpenArm, Scenario } from '../model/scenario.js'
import type { ProcessHost } from '../run/processes.js'

const [, , payload = null] = process.argv
let scenarios: Scenario[] | undefined
const opened: { scenario: Scenario; arm: OpenArm }[] = []

const host: ProcessHost = {
  open: async ({ scenario: scenarioId, arm: armId }) => {
    const { loadScenarios } = await import('../scenarios/index.js')
    scenarios ??= await loadScenarios(payload)
    const scenario = scenarios.find(({ id }) => id === scenarioId)
    const arm = scenario?.arms.find(({ id }) => id === armId)
    if (!scenario || !arm) throw new Error(`This version has no ${scenarioId}/*/${armId}`)
    return opened.push({ scenario, arm: await arm.open() }) - 1
  },
  measure: async ({ handle, task, payload: payloadId }) => {
    const { scenario, arm } = opened[handle]!
    const found = scenario.cases.find(({ payload: { id } }) => id === payloadId)
    if (!found) throw new Error(`This version has no payload '${payloadId}' in ${scenario.id}`)
    return arm.measure(task, found.payload)
  },
  measureFresh: async job => {
    const [{ measureFewCalls, measureMany, measurePlugin }, { getPluginKind }] = await Promise.all([
      import('../plugin/measure.js'),
      import('../plugin/kinds.js'),
    ])
    const load = getPluginKind(job.plugin)
    if ('many' in job) return measureMany(load, job.many)
    return 'greet' in job ? measureFewCalls(load, job) : measurePlugin(load, job.whole)
  },
  close: ({ handle }) => opened[handle]!.arm.close(),
  readCpu: () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1e3
  },
}

serveRaw(overIpc(process), host)
// The benchmark ended or was killed.
process.on('disconnect', () => process.exit())
// Ctrl-C goes to the process group. The parent process ends this one.
process.on('SIGINT', () => {})
