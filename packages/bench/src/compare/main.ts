// `sallyport-bench compare`: measures head and base in turns, asks once more about what looks slower, and says what came out.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import pc from 'picocolors'
import { EXIT } from '../command/exit-code.js'
import { interruptSignal } from '../command/interrupt.js'
import { describeMachine, readLoad } from '../run/machine.js'
import { createOutput, type Output } from '../command/output.js'
import { makeWritable } from '../command/out-folder.js'
import { readPackageInfo } from '../run/machine.js'
import { showStart } from '../command/show.js'
import { openBase, type Base } from './base.js'
import { compareWithFile } from './against-file.js'
import { compareInTurns } from './in-turns.js'
import type { Judged, Rule, Verdict } from './judge.js'
import type { CompareOptions } from './options.js'
import { comparisonOf, toComparisonJson } from './report.js'
import { toComparisonMarkdown, toComparisonText } from './views.js'

export interface Found {
  rule: Rule
  first: Judged[]
  repeat: Judged[]
  /** What was measured against itself differed, in a comparison with a file. */
  strayed?: boolean
  notes: string[]
}

/** What both kinds of comparison need. */
export interface Run<Kind extends Base['kind']> {
  base: Extract<Base, { kind: Kind }>
  options: CompareOptions
  machine: Awaited<ReturnType<typeof describeMachine>>
  output: Output
  temporary: string
  signal: AbortSignal
}

const EXITS: Record<Verdict, number> = { fine: EXIT.fine, regression: EXIT.failed, 'too noisy': EXIT.tooNoisy }

/** As wide as a comment shows. */
const PLAIN = { columns: 110, colors: pc.createColors(false) }

/**
 * @returns the exit code: 1 for a regression, 3 where it is too noisy to say
 * @throws UsageError, Interrupted
 */
export async function compare(options: CompareOptions): Promise<number> {
  const { out, json, plan } = options
  await makeWritable(out)
  const output = createOutput(process.stdout, process.stderr, json)
  const signal = interruptSignal()
  const [startedAt, start] = [new Date(), performance.now()]
  const { base, temporary, close } = await openBase(options.base, options.prepare, signal)
  try {
    const machine = await describeMachine()
    showStart(readPackageInfo(), machine, output)
    const run = { options, machine, output, temporary, signal }
    const found =
      base.kind === 'file' ? await compareWithFile({ ...run, base }) : await compareInTurns({ ...run, base })
    machine.loadAfter = readLoad()
    const comparison = comparisonOf({
      tool: readPackageInfo(),
      startedAt: startedAt.toISOString(),
      seconds: (performance.now() - start) / 1000,
      machine,
      base: { name: base.name, kind: base.kind, ...(base.kind === 'ref' && { commit: base.commit }) },
      plan: { processes: plan.processes, rounds: plan.rounds, slotMs: plan.slotMs },
      ...found,
    })
    const files = {
      'compare.json': toComparisonJson(comparison),
      'compare.md': toComparisonMarkdown(comparison),
      'compare.txt': toComparisonText(comparison, PLAIN),
    }
    for (const [name, text] of Object.entries(files)) await writeFile(join(out, name), text)
    output.print(toComparisonText(comparison, output.screen))
    if (json) process.stdout.write(files['compare.json'])
    return EXITS[comparison.verdict]
  } finally {
    close()
  }
}
