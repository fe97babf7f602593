// What `sallyport-bench compare` takes beside what a run takes.
import type { CAC } from 'cac'
import type { Options } from '../command/options.js'
import type { Plan } from '../run/plan.js'
import { UsageError } from '../command/usage.js'

export interface CompareOptions extends Options {
  base: string
  /** As a factor above 1. */
  tolerance: number
  /** How a git ref is installed and built; null for what its files ask for. */
  prepare: string | null
}

/**
 * Many processes rather than many rounds: it is processes that differ, and of 12 that all agree by chance there is one in 4096,
 * which is as sure as 20 figures ask for. Six rounds are the six orders of three sides.
 */
export const GATE: Plan = {
  mode: 'full',
  processes: 12,
  warmUpMs: 400,
  rounds: 6,
  slotMs: 15,
  budgetMs: 1_800_000,
}

type Command = ReturnType<CAC['command']>

export const withComparison = (command: Command): Command =>
  command
    .option('--base <what>', 'A git ref (checked out and built), a folder, report.json or baseline.json')
    .option('--tolerance <percent>', 'How much slower is no regression yet', { default: '5%' })
    .option('--prepare <command>', 'Installs and builds the checkout of a git ref')

/** @throws UsageError */
export function readComparison(flags: Record<string, unknown>): Pick<CompareOptions, 'base' | 'tolerance' | 'prepare'> {
  const once = ['base', 'tolerance', 'prepare'].find(name => Array.isArray(flags[name]))
  if (once) throw new UsageError(`--${once} can be given once`)
  const { base, tolerance, prepare } = flags
  if (base === undefined)
    throw new UsageError('compare needs --base: a git ref, a folder, report.json or baseline.json')
  return {
    base: String(base),
    tolerance: readTolerance(String(tolerance)),
    prepare: prepare === undefined ? null : String(prepare),
  }
}

function readTolerance(text: string): number {
  const [, percent] = /^(\d+(?:\.\d+)?) ?%$/.exec(text) ?? []
  if (percent !== undefined && Number(percent) > 0) return 1 + Number(percent) / 100
  throw new UsageError(`--tolerance takes a percentage above 0, as in 5%, not '${text}'`)
}
