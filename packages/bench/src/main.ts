// One run from beginning to end: chooses, measures, shows each scenario when it is done, writes the reports, and ends with
// the digest.
import { access, constants, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { choose } from './choose.js'
import { interruptSignal } from './interrupt.js'
import { describeMachine, readLoad } from './machine.js'
import { UsageError, type Options } from './options.js'
import { createOutput } from './output.js'
import { readPackageInfo } from './package-info.js'
import { liveProgress, plainProgress } from './progress.js'
import { buildReport } from './report/build.js'
import { toJson } from './report/json.js'
import { toMarkdown } from './report/markdown.js'
import { failures } from './report/table.js'
import { run } from './run.js'
import { showEnd, showScenario, showStart } from './show.js'

/**
 * @returns the exit code: 1 where an arm failed
 * @throws UsageError, Interrupted
 */
export async function measureAndReport({ plan, filter, out, json }: Options): Promise<number> {
  const scenarios = choose(filter)
  await makeWritable(out)
  const output = createOutput(process.stdout, process.stderr, json)
  const tool = readPackageInfo()
  const machine = await describeMachine()
  showStart(tool, machine, output)

  const startedAt = new Date()
  const start = performance.now()
  const progress = output.live
    ? liveProgress(scenarios, plan, process.stderr, output.screen.colors)
    : plainProgress(output.tell)
  const watcher = { ...progress, done: showScenario(progress, plan, output) }
  const outcomes = await run(scenarios, plan, watcher, interruptSignal()).finally(progress.clear)

  const seconds = (performance.now() - start) / 1000
  machine.loadAfter = readLoad()
  const report = buildReport(outcomes, { tool, plan, filter, startedAt, seconds, machine })
  const files = { 'report.json': toJson(report), 'report.md': toMarkdown(report) }
  const paths = Object.keys(files).map(name => join(out, name))
  for (const [name, text] of Object.entries(files)) await writeFile(join(out, name), text)
  showEnd(report, paths, output)
  if (json) process.stdout.write(files['report.json'])
  return failures(report).length > 0 ? 1 : 0
}

/** Before anything is measured, so that a minute is not lost for a folder. */
async function makeWritable(out: string): Promise<void> {
  try {
    await mkdir(out, { recursive: true })
    await access(out, constants.W_OK)
  } catch (error) {
    throw new UsageError(`--out ${out}: ${(error as Error).message}`)
  }
}
