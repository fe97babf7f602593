// A comparison as text for people: plain, for a terminal and for the fence of a comment, and Markdown for a job's summary.
import type { Colors } from 'picocolors/types.js'
import { describe } from '../report/notes.js'
import { drawTable as drawMarkdown } from '../report/markdown.js'
import { drawTable, wrap, type Screen } from '../report/terminal.js'
import { comparisonTable, verdictLine, type Comparison } from './report.js'
import type { Verdict } from './judge.js'

const SIGNS: Record<Verdict, string> = { fine: '🟢', regression: '🔴', 'too noisy': '⚪' }

export function toComparisonText(comparison: Comparison, { columns, colors }: Screen): string {
  const { bold, dim } = colors
  const lines = (text: string, tint: (line: string) => string): string[] =>
    wrap(text, columns - 2).map(line => ` ${tint(line)}`)
  return [
    ...lines(verdictLine(comparison), text => bold(tintOf(comparison.verdict, colors)(text))),
    '',
    drawTable(comparisonTable(comparison, 'all'), { columns, colors }),
    '',
    ...[...comparison.notes, describeRun(comparison)].flatMap(note => lines(note, dim)),
    '',
  ].join('\n')
}

const tintOf = (verdict: Verdict, { green, red, yellow }: Colors): ((text: string) => string) =>
  verdict === 'fine' ? green : verdict === 'regression' ? red : yellow

export function toComparisonMarkdown(comparison: Comparison): string {
  const told = comparisonTable(comparison, 'told')
  return `${[
    '# Sallyport benchmark: head against base',
    `${SIGNS[comparison.verdict]} **${verdictLine(comparison)}**`,
    ...(told.rows.length > 0 ? [drawMarkdown(told)] : []),
    `<details><summary>All figures</summary>\n\n${drawMarkdown(comparisonTable(comparison, 'all'))}\n\n</details>`,
    [...comparison.notes, describeRun(comparison)].join('  \n'),
  ].join('\n\n')}\n`
}

function describeRun({ startedAt, seconds, machine, plan, rule }: Comparison): string {
  const when = `${startedAt.slice(0, 16).replace('T', ' ')} UTC, ${Math.round(seconds)} s`
  const how = `${plan.processes} × ${plan.rounds} rounds of ${plan.slotMs} ms for each side`
  const sure = `bounds at ${(100 * (1 - 0.01 / rule.figures)).toFixed(3)} %`
  return [describe(machine), when, how, sure].join(' · ')
}
