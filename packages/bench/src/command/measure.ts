// One run from beginning to end: chooses, measures, shows each scenario when it is done, writes the reports, and ends with
// the digest.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { choose } from './choose.js'
import { interruptSignal } from './interrupt.js'
import { describeMachine, readLoad } from '../run/machine.js'
import { leaveOut } from './leave-out.js'
import { loadScenarios } from './additions.js'
import { EXIT } from './exit-code.js'
import { launchFresh } from '../run/fresh-process.js'
import type { Options } from './options.js'
import { makeWritable } from './out-folder.js'
import { createOutput } from './output.js'
import { readPackageInfo } from '../run/machine.js'
import { createProgress } from './progress.js'
import { buildReport } from '../report/build.js'
import { reportFiles } from '../report/files.js'
import { failures } from '../report/table.js'
import { run } from '../run/run.js'
import { SAMPLES_FILE, writeSamples } from './samples.js'
import { showEnd, showScenario, showStart } from './show.js'

/**
 * @returns the exit code: 1 where an arm failed, 3 where the run is too noisy to say anything
 * @throws UsageError, Interrupted
 */
export async function measureAndReport({ plan, filter, all, out, json, raw, additions }: Options): Promise<number> {
  const { scenarios, leftOut } = leaveOut(choose(await loadScenarios(additions), { filter, all }))
  await makeWritable(out)
  const output = createOutput(process.stdout, process.stderr, json)
  const tool = readPackageInfo()
  const machine = await describeMachine()
  showStart(tool, machine, output, leftOut)

  const startedAt = new Date()
  const start = performance.now()
  const progress = createProgress(output, scenarios, plan)
  const kept = raw ? writeSamples(out) : undefined
  const watcher = { ...progress, done: showScenario(progress, plan, output), ...(kept && { samples: kept.samples }) }
  const outcomes = await run(scenarios, plan, watcher, interruptSignal(), () => launchFresh(additions)).finally(
    progress.clear,
  )

  const seconds = (performance.now() - start) / 1000
  machine.loadAfter = readLoad()
  const report = buildReport(outcomes, { tool, plan, filter, startedAt, seconds, machine })
  await kept?.end()
  const files = reportFiles(report)
  const paths = [...Object.keys(files), ...(raw ? [SAMPLES_FILE] : [])].map(name => join(out, name))
  for (const [name, text] of Object.entries(files)) await writeFile(join(out, name), text)
  showEnd(report, paths, output)
  if (json) process.stdout.write(files['report.json'])
  if (failures(report).length > 0) return EXIT.failed
  return report.noise?.outcome === 'too noisy' ? EXIT.tooNoisy : EXIT.fine
}
