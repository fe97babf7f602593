// `sallyport-bench compare`, the regression check: measures head and base, measures slower figures again, and writes the result
// to the terminal, compare.txt and compare.json.
import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import pc from 'picocolors'
import { makeWritable, showStart } from '../command/measure.js'
import type { CompareOptions } from '../command/options.js'
import { createInterruptSignal, createOutput, runWithProgress } from '../command/output.js'
import { readLoad, readMachine } from '../report/build.js'
import { numbers, TONES, words, type Cell, type Table, type Tone } from '../report/table.js'
import { toTerminal, wrap, type Screen } from '../report/terminal.js'
import { describeMachine, OUTCOMES } from '../report/verdict.js'
import { readPackageInfo } from '../run/machine.js'
import { count, formatChange, formatEffect, oneLine, short } from '../shared/text.js'
import { median } from '../statistics/median.js'
import { openBase } from './checkout.js'
import { compareInterleaved } from './interleaved.js'
import { COMPARISON_VERSION, conclude, getConfidence, getDetectableFactor } from './judge.js'
import { getRegressions, getSuspects, type Change, type Comparison, type Judged } from './judge.js'

/** The width that a comment shows. */
const PLAIN: Screen = { columns: 100, colors: pc.createColors(false) }

/**
 * @returns the exit code: 1 for a regression, 3 if the run is too noisy to say
 * @throws {UsageError} if there is nothing to compare
 * @throws {Interrupted} after Ctrl-C
 */
export async function compare(options: CompareOptions): Promise<number> {
  const { out, json, plan } = options
  await makeWritable(out)
  const output = createOutput(json)
  const signal = createInterruptSignal()
  const [startedAt, start] = [new Date(), performance.now()]
  const { base, temporary, close } = await openBase(options.base, options.prepare, signal)
  const showPart = (judged: readonly Judged[]): void => {
    for (const { figure, slower, error = 'not measured' } of judged)
      output.log(` ${figure}: ${slower ? `${formatChange(slower.factor)} (${formatBounds(slower)})` : error}`)
  }
  try {
    const machine = readMachine()
    const method = compareInterleaved(base, options, temporary, (scenarios, launch, done) =>
      runWithProgress(output, { scenarios, plan, signal, launch }, done),
    )
    showStart(machine, output)
    const first = await method.measure(showPart)
    const suspects = getSuspects(first)
    if (suspects.length > 0) output.log(`Slower, and measured again: ${suspects.join(' ')}`)
    const again = suspects.length > 0 ? await method.measure(showPart, suspects) : []
    const repeat = again.filter(({ figure }) => suspects.includes(figure))
    const { rule, notes } = method
    machine.loadAfter = readLoad()
    const comparison: Comparison = {
      comparisonVersion: COMPARISON_VERSION,
      verdict: conclude(first, repeat),
      tool: readPackageInfo(),
      startedAt: startedAt.toISOString(),
      seconds: (performance.now() - start) / 1000,
      machine,
      base: { name: base.name, kind: base.kind, ...(base.kind === 'ref' && { commit: base.commit }) },
      plan: { processes: plan.processes, rounds: plan.rounds, slotMs: plan.slotMs },
      ...{ rule, notes, first, repeat },
    }
    const shorten = (_key: string, value: unknown): unknown => (typeof value === 'number' ? short(value) : value)
    const text = `${JSON.stringify(comparison, shorten, 2)}\n`
    await writeFile(join(out, 'compare.json'), text)
    await writeFile(join(out, 'compare.txt'), toText(comparison, PLAIN))
    output.print(toText(comparison, output.screen))
    if (json) process.stdout.write(text)
    return OUTCOMES[comparison.verdict].exitCode
  } finally {
    close()
  }
}

function describeVerdict({ first, repeat, rule, verdict, base }: Comparison): string {
  const countOutcomes = (outcome: Judged['outcome']): number =>
    [...first, ...repeat].filter(entry => entry.outcome === outcome).length
  const judged = first.filter(({ outcome }) => outcome !== 'missing')
  const commit = base.commit === undefined ? '' : ` (${base.commit.slice(0, 7)})`
  const than = `slower than ${base.name}${commit} by more than ${formatEffect(rule.tolerance)}`
  const failed = countOutcomes('failed')
  const found = getRegressions(first, repeat).length
  if (failed > 0) return `Regression: ${count(failed, 'figure')} can no longer be measured, because the head fails.`
  if (verdict === 'regression')
    return `Regression: ${found} of ${count(first.length, 'figure')} ${found === 1 ? 'is' : 'are'} ${than}, in two runs.`
  const unsteady = countOutcomes('unsteady')
  if (unsteady > 0) return `Too noisy to judge: the base differed from itself in ${count(unsteady, 'figure')}.`
  if (judged.length === 0) return 'Nothing could be judged: the base has none of these figures.'
  // Says what `fine` means.
  const from = judged.flatMap(({ slower }) => (slower ? [getDetectableFactor(slower, rule)] : []))
  const [half, all] = [formatEffect(median(from)), formatEffect(Math.max(...from))]
  const evidence = `Half of them would have shown a slow-down of ${half}, and all of them a slow-down of ${all}.`
  const reach = from.length > 0 ? evidence : 'A single round says nothing about the next.'
  if (verdict === 'too noisy') return `Too noisy to judge. ${reach}`
  return `No regression: none of ${count(judged.length, 'figure')} is ${than}. ${reach}`
}

const OUTCOME_TONES: Partial<Record<Judged['outcome'], Tone>> = { slower: 'worse', faster: 'better' }

const TEXTS: Record<Exclude<Judged['outcome'], 'slower'>, string> = {
  ...{ failed: 'the head fails', missing: 'not measured', unsteady: 'base unsteady' },
  ...{ faster: 'faster', blind: 'too noisy to see', fine: '' },
}

const formatBounds = ({ bounds }: Change): string => bounds.map(formatChange).join(' … ')

function toTable({ first, repeat, rule, verdict }: Comparison): Table {
  const judge = verdict !== 'too noisy'
  return {
    title: 'Head against base',
    about: `By how much the head takes more (+) or less (−) time, or memory. A figure whose whole interval exceeds +${formatEffect(rule.tolerance)} in two measurements is a regression.`,
    columns: [words(''), ...['head', 'between', 'seen from'].map(numbers), words('')],
    rows: first.map((entry): Cell[] => {
      const { figure, slower, outcome } = entry
      const [again, tone] = [repeat.find(other => other.figure === figure), slower ? OUTCOME_TONES[outcome] : 'missing']
      return [
        // On a narrow screen, the second half is below the first.
        { text: dirname(dirname(figure)), note: figure.split('/').slice(2).join('/') },
        { text: slower ? formatChange(slower.factor) : '–', ...(judge && tone && { tone }) },
        { text: slower ? formatBounds(slower) : '–' },
        { text: slower ? formatEffect(getDetectableFactor(slower, rule)) : '–' },
        { text: judge || outcome !== 'faster' ? describe(entry, again) : '' },
      ]
    }),
  }
}

function describe({ outcome }: Judged, repeat: Judged | undefined): string {
  const size = repeat?.slower ? formatChange(repeat.slower.factor) : 'nothing'
  const slower = `${repeat?.outcome === 'slower' ? 'confirmed' : 'repeat'}: ${size}`
  return { ...TEXTS, slower }[outcome]
}

function describeRun({ first, startedAt, seconds, machine, plan, rule, notes }: Comparison): string[] {
  const errors = first.flatMap(({ figure, error, outcome }) => {
    const side = outcome === 'failed' ? 'head' : 'base'
    return error === undefined ? [] : `${figure}: the ${side} failed: ${oneLine(error).slice(0, 200)}`
  })
  const when = `${startedAt.slice(0, 16).replace('T', ' ')} UTC, ${Math.round(seconds)} s`
  const how = `${plan.processes} × ${plan.rounds} rounds of ${plan.slotMs} ms for each side`
  const bounds = `bounds at ${(100 * getConfidence(rule)).toFixed(3)} %`
  return [...errors, ...notes, [describeMachine(machine), when, how, bounds].join(' · ')]
}

/** Draws the comparison for a terminal, or without colours for compare.txt. */
export function toText(comparison: Comparison, screen: Screen): string {
  const { bold, dim } = screen.colors
  const tint = screen.colors[TONES[OUTCOMES[comparison.verdict].tone]]
  const wrapped = (text: string): string[] => wrap(text, screen.columns - 2)
  return [
    ...wrapped(describeVerdict(comparison)).map(line => ` ${bold(tint(line))}`),
    '',
    toTerminal(toTable(comparison), screen),
    '',
    ...describeRun(comparison)
      .flatMap(wrapped)
      .map(line => ` ${dim(line)}`),
    '',
  ].join('\n')
}
