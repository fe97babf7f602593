// What a reader has to know before believing a figure: how steady the machine was, and what went wrong.
import { duration, formatEffect } from './format.js'
import { findFigure, type Machine, type Report } from './report.js'
import { smallestEffects, strayed } from './verdict.js'

/** Above this part of the CPU time, what is measured shares its cores with somebody else. */
const BUSY = 0.15

/** A MessagePort's latency jumps by more than this when its threads begin or cease to find their cores asleep. */
const UNSTEADY = 1.5

export function notes(report: Report): string[] {
  const { machine, scenarios } = report
  const found: string[] = []
  if (report.noise?.outcome === 'too noisy') found.push(`Too noisy to judge: ${strayed(report.noise)}.`)
  const effects = smallestEffects(report)
  if (effects) {
    const [half, most] = [formatEffect(effects.half), formatEffect(effects.most)]
    found.push(`The smallest effect that half of the comparisons could have shown is ${half}; of nine in ten, ${most}.`)
  }
  if (machine.busyBefore > BUSY) {
    const percent = Math.round(machine.busyBefore * 100)
    found.push(`Others took ${percent} % of the CPU time when the run began. Measure again when the machine is quiet.`)
  }
  const reference = findFigure(report, 'latency/1/raw/p50') ?? findFigure(report, 'isolation/1/raw/p50')
  if (reference && reference.processes.flat().length > 1) {
    const { low, high } = reference
    const between = `The reference’s own p50 lay between ${duration(low)} and ${duration(high)} from round to round`
    const unsteady = high > low * UNSTEADY
    found.push(
      unsteady ? `${between}: trust the ratios, which compare within a round, more than the times.` : `${between}.`,
    )
  }
  if (report.isolationCost.some(({ alone, pipelined }) => Math.min(alone ?? 0, pipelined ?? 0) < 0)) {
    found.push('A step of the isolation cost below zero is smaller than the noise of this run.')
  }
  const late = scenarios.filter(({ measuredRounds, rounds }) => measuredRounds < rounds)
  if (late.length > 0) {
    const each = late.map(({ id, measuredRounds, rounds }) => `${id} ${measuredRounds} of ${rounds}`).join(', ')
    found.push(`To end in time, fewer rounds were measured: ${each}.`)
  }
  return found
}

export const describe = (machine: Machine): string =>
  `${machine.cores} × ${machine.cpu} · Node ${machine.node.slice(1)} · ${machine.platform} ${machine.arch}`

export const describeRun = ({ startedAt, mode, seconds, machine }: Report): string =>
  `${startedAt.slice(0, 16).replace('T', ' ')} UTC · ${mode}, ${Math.round(seconds)} s · load ${machine.loadBefore} → ${machine.loadAfter}`
