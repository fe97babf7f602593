// baseline.json: the ratios of a run, small enough to be kept with the code, and the fingerprint of what they hold for. Ratios
// of one machine say little about another: whoever compares has to refuse a baseline whose fingerprint differs.
import type { FigureKind } from '../model/scenario.js'
import { everyFigure, type Machine, type Report } from './report.js'

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
  /** What it lies between with 95 % confidence. */
  interval: [low: number, high: number]
  better: FigureKind['better']
}

export interface Fingerprint {
  /** Platform, architecture and processor: what CI calls the kind of a runner. */
  machine: string
  cores: number
  nodeMajor: number
  /** What each scenario's ratios refer to, with its version where it has one. */
  references: Record<string, string>
}

export const fingerprintOf = ({ machine, scenarios }: Pick<Report, 'machine' | 'scenarios'>): Fingerprint => ({
  machine: machineKind(machine),
  cores: machine.cores,
  nodeMajor: Number(/\d+/.exec(machine.node)?.[0]),
  references: Object.fromEntries(
    scenarios.map(({ id, reference, arms }) => [id, arms.find(arm => arm.id === reference)?.title ?? reference]),
  ),
})

const machineKind = ({ platform, arch, cpu }: Machine): string => `${platform} ${arch} ${cpu}`

/** A figure that is its own reference, or whose ratio is not known, is left out. */
export function baselineOf(report: Report): Baseline {
  const ratios = everyFigure(report).flatMap(({ path, figure: { ratio, interval, better } }) =>
    ratio === null || !interval ? [] : [[path, { ratio, interval, better }] as const],
  )
  return {
    baselineVersion: BASELINE_VERSION,
    tool: report.tool,
    measuredAt: report.startedAt,
    fingerprint: fingerprintOf(report),
    ratios: Object.fromEntries(ratios),
  }
}

export const toBaseline = (report: Report): string => `${JSON.stringify(baselineOf(report), null, 2)}\n`
