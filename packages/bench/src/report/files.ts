// All forms of a report, by the names that `--out` gets. baseline.json is small enough to be kept with the code: the ratios of
// a run, and the fingerprint of what they hold for. Ratios of one machine say little about another.
import type { FigureKind } from '../model/scenario.js'
import { toHtml } from './html.js'
import { toComment, toMarkdown } from './markdown.js'
import { everyFigure, type Report } from './report.js'

export const BASELINE_VERSION = 1

export interface Baseline {
  baselineVersion: typeof BASELINE_VERSION
  tool: Report['tool']
  /** ISO 8601, UTC. */
  measuredAt: string
  fingerprint: Fingerprint
  /** By `scenario/case/arm/figure`. */
  ratios: Record<string, BaselineRatio>
}

export interface BaselineRatio {
  ratio: number
  /** With 95 % confidence. */
  interval: [low: number, high: number]
  better: FigureKind['better']
}

export interface Fingerprint {
  /** Platform, architecture and processor: what CI calls the kind of a runner. */
  machine: string
  cores: number
  nodeMajor: number
  /** The reference of each scenario, with its version if it has one. */
  references: Record<string, string>
}

export const getFingerprint = ({ machine, scenarios }: Pick<Report, 'machine' | 'scenarios'>): Fingerprint => ({
  machine: `${machine.platform} ${machine.arch} ${machine.cpu}`,
  cores: machine.cores,
  nodeMajor: Number.parseInt(machine.node.slice(1)),
  references: Object.fromEntries(
    scenarios.map(({ id, reference, arms }) => [id, arms.find(arm => arm.id === reference)?.title ?? reference]),
  ),
})

/** Keeps the ratios of a run, without those that are references or unknown. */
export function createBaseline(report: Report): Baseline {
  const ratios = everyFigure(report).flatMap(({ path, figure: { ratio, interval, better } }) =>
    ratio === null || !interval ? [] : [[path, { ratio, interval, better }] as const],
  )
  return {
    baselineVersion: BASELINE_VERSION,
    tool: report.tool,
    measuredAt: report.startedAt,
    fingerprint: getFingerprint(report),
    ratios: Object.fromEntries(ratios),
  }
}

const stringify = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`

export const toJson = (report: Report): string => stringify(report)

export type ReportFile = 'report.json' | 'report.md' | 'report.html' | 'comment.md' | 'baseline.json'

export const reportFiles = (report: Report): Record<ReportFile, string> => ({
  'report.json': toJson(report),
  'report.md': toMarkdown(report),
  'report.html': toHtml(report),
  'comment.md': toComment(report),
  'baseline.json': stringify(createBaseline(report)),
})
