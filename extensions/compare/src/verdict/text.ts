// A comparison as text: what moved, one line for everything else, and the verdict.
import { describeMachine } from '#measure/machine'
import { wrap } from '@sallyport/protocol/internal/command-line'
import { OUTCOMES, type Screen, type Tone, TONES } from '#measure/screen'
import { type Change, getDetectableFactor } from '#measure/statistics'
import { count, formatChange, formatEffect, formatValue, oneLine } from '#measure/text'
import { type Comparison, getCounted, getRegressions, getSeen, getTolerance, type Judged, settle } from './judge.js'

/** @returns the verdict, which a terminal shows last, where it has scrolled to, and a page first; and all else */
export function toText(comparison: Comparison, screen: Screen): { verdict: string; details: string } {
  const { bold, dim } = screen.colors
  const tint = screen.colors[TONES[OUTCOMES[comparison.verdict].tone]]
  const width = screen.columns - 2
  const { shown, folded } = fold(comparison)
  const draw = (lines: readonly string[]): string => lines.map(line => ` ${line}\n`).join('')
  const details = [
    shown.flatMap(entry => drawFigure(entry, comparison, screen)),
    folded === '' ? [] : wrap(folded, width).map(dim),
    describeRun(comparison).flatMap(line => wrap(line, width).map(dim)),
  ]
  return {
    verdict: draw(wrap(describeVerdict(comparison), width).map(line => bold(tint(line)))),
    details: details
      .filter(lines => lines.length > 0)
      .map(draw)
      .join('\n'),
  }
}

const formatMoved = ({ factor, bounds }: Change): string =>
  `${formatChange(factor)} (${bounds.map(formatChange).join(' … ')})`

function describeVerdict({ first, repeat, rule, verdict, base }: Comparison): string {
  const commit = base.commit === undefined ? '' : ` (${base.commit.slice(0, 7)})`
  if (first.length === 0) return `No regression: ${base.name}${commit} has the same files to run. Nothing was measured.`
  const failed = [...first, ...repeat].filter(({ outcome }) => outcome === 'failed').length
  const slower = getRegressions(repeat)
  const all = count(first.length, 'figure')
  if (failed > 0) return `Regression: the head no longer prints ${count(failed, 'figure')} in each run.`
  if (slower.length > 0) {
    const by = Math.max(...slower.map(entry => entry.slower!.factor))
    return `Regression: ${slower.length} of ${all} ${slower.length === 1 ? 'is' : 'are'} worse than ${base.name}${commit}, by ${formatLargest(by)}.`
  }
  const seen = getSeen(first, repeat)
  const last = getCounted(first, repeat)
  if (last.length === 0) return 'Nothing could be judged: the base has none of these figures.'
  if (verdict === 'too noisy')
    return `Too noisy to judge: ${last.length - seen.length} of ${count(last.length, 'figure')} could not have shown a slow-down of ${formatEffect(1 + 2 * (rule.tolerance - 1))}.`
  // Says what `fine` means.
  const from = Math.max(...seen.map(entry => getDetectableFactor(entry.slower!, getTolerance(rule, entry.figure))))
  const unseen = last.length > seen.length ? ` ${last.length - seen.length} more were too noisy to judge.` : ''
  return `No regression: ${count(seen.length, 'figure')} would have shown a slow-down of ${seen.some(({ part }) => part === 'fastest quarter') ? 'each run by ' : ''}${formatEffect(from)} against ${base.name}${commit}.${unseen}`
}

const formatLargest = (factor: number): string => `up to ${formatEffect(factor)}`.replace('up to > ', 'more than ')

/** With so few figures, all of them are shown. */
const FEW = 6

/** How each outcome is shown: those that moved first. If there are many figures, some are only counted. */
const SHOWN: Record<Judged['outcome'], { text: string; tone?: Tone; isFolded?: true }> = {
  failed: { text: 'not printed by the head' },
  slower: { text: 'slower', tone: 'worse' },
  faster: { text: 'faster', tone: 'better' },
  unsteady: { text: 'unsteady' },
  missing: { text: 'not measured', isFolded: true },
  blind: { text: 'unclear', isFolded: true },
  fine: { text: 'fine', isFolded: true },
}
const OF_SIZES: Partial<Record<Judged['outcome'], string>> = { slower: 'larger', faster: 'smaller' }
const ORDER = Object.keys(SHOWN)

function fold({ first, repeat }: Comparison): { shown: Judged[]; folded: string } {
  const isFolded = ({ figure, outcome }: Judged): boolean =>
    first.length > FEW && SHOWN[outcome].isFolded === true && repeat.every(other => other.figure !== figure)
  const getRank = (entry: Judged): number => ORDER.indexOf(settle([entry], repeat)[0]!.outcome)
  const shown = first
    .filter(entry => !isFolded(entry))
    .toSorted((a, b) => getRank(a) - getRank(b) || (b.slower?.factor ?? 0) - (a.slower?.factor ?? 0))
  const counts = Object.entries(SHOWN).flatMap(([outcome, { text }]) => {
    const many = first.filter(entry => isFolded(entry) && entry.outcome === outcome).length
    return many > 0 ? [`${many} ${text}`] : []
  })
  const hidden = first.length - shown.length
  return {
    shown,
    folded: hidden > 0 ? `${count(hidden, 'more figure')}: ${counts.join(', ')} (compare.json has them)` : '',
  }
}

function drawFigure(entry: Judged, comparison: Comparison, { columns, colors }: Screen): string[] {
  const { repeat, rule, verdict } = comparison
  const settled = settle([entry], repeat)[0]!
  const { figure, part, slower, drift, medians, outcome, others = [] } = settled
  const isRepeated = repeat.some(other => other.figure === entry.figure)
  const { text, tone } = SHOWN[outcome]
  const word = (medians?.unit === 'B' && OF_SIZES[outcome]) || text
  const first = [entry, ...(entry.others ?? [])].find(view => view.part === part)?.slower
  const describe = ({ part: of = 'all runs', slower: moved }: Pick<Judged, 'part' | 'slower'>): string => {
    const base = medians && of === 'all runs' ? ` of ${formatValue(medians.base, medians.unit)}` : ''
    return moved ? `${others.length > 0 ? `${of} ` : ''}${formatMoved(moved)}${base}` : ''
  }
  const parts = [
    slower ? `${word}: ${describe(settled)}` : word,
    slower &&
      (outcome === 'blind' || outcome === 'fine') &&
      `would have seen ${formatEffect(getDetectableFactor(slower, getTolerance(rule, figure)))}`,
    isRepeated && first && `first ${formatChange(first.factor)}`,
  ]
  const tint = tone && verdict !== 'too noisy' ? colors[TONES[tone]] : String
  const fit = (text: string, paint: (line: string) => string): string[] =>
    wrap(text, columns - 4).map(line => `  ${paint(line)}`)
  return [
    ...wrap(oneLine(figure), columns - 2),
    ...fit(parts.filter(Boolean).join(', '), tint),
    ...[others.map(describe).filter(Boolean).join(', '), drift ? `base against base: ${formatMoved(drift)}` : '']
      .filter(Boolean)
      .flatMap(line => fit(line, colors.dim)),
  ]
}

function describeRun({ first, startedAt, seconds, machine, runs, program }: Comparison): string[] {
  const errors = first.flatMap(({ figure, error }) => (error === undefined ? [] : oneLine(`${figure}: ${error}`)))
  const when = `${startedAt.slice(0, 16).replace('T', ' ')} UTC, ${Math.round(seconds)} s`
  const of = `\`${oneLine(program.join(' '))}\``
  const how = first.length > 0 ? `${count(runs, 'run')} of ${of} for each side` : of
  return [...errors, [describeMachine(machine), when, how].join(' · ')]
}
