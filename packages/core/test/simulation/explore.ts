// Runs seeds until one breaks the model. It runs again with a minimum of actions, and with a trace.
import { type Mode, runSeed, type SeedResult } from './run-seed.js'
import { Channel } from '../../../frontend/src/client/channel.js'
import { Frontend, type FrontendDeps } from '../../src/life/frontends/frontend.js'
import type { FrontendHost } from '../../src/life/frontends/types.js'

export interface Explored {
  readonly seeds: number
  /** Milliseconds of CPU time. */
  readonly milliseconds: number
  readonly steps: number
  readonly calls: number
  readonly outcomes: Record<string, number>
  /** The first seed that breaks the model, with the violation and the end of its trace. */
  readonly failure: string | undefined
}

/** Lines of a trace that usually suffice. */
const LINES = 60

export interface ExploreOptions {
  lines?: number
  mode?: Mode
}

export async function explore(
  first: number,
  seeds: number,
  { lines = LINES, mode = 'own' }: ExploreOptions = {},
): Promise<Explored> {
  fixIds()
  const outcomes: Record<string, number> = {}
  const start = process.cpuUsage()
  let [steps, calls, ran] = [0, 0, 0]
  let failure: string | undefined
  for (let seed = first; seed < first + seeds && failure === undefined; seed++) {
    const result = await runSeed(seed, { mode })
    ran++
    steps += result.steps
    calls += result.calls
    for (const [outcome, count] of Object.entries(result.outcomes)) {
      const [name = ''] = outcome.split(/ \d/)
      outcomes[name] = (outcomes[name] ?? 0) + count
    }
    if (result.wrong.length > 0) failure = await explain(seed, result, lines, mode)
  }
  const { user, system } = process.cpuUsage(start)
  return { seeds: ran, milliseconds: (user + system) / 1000, steps, calls, outcomes, failure }
}

export const report = ({ seeds, milliseconds, steps, calls, outcomes }: Explored): string =>
  `${seeds} seeds in ${Math.round(milliseconds)} ms of CPU: ${calls} calls, ${steps} steps; ${JSON.stringify(outcomes)}`

async function explain(seed: number, failed: SeedResult, lines: number, mode: Mode): Promise<string> {
  let actions = 0
  let result = await runSeed(seed, { traced: true, actions, mode })
  // With fewer actions it can fail in another way.
  const isSame = (): boolean => describe(result) === describe(failed)
  while (!isSame() && actions < 100) result = await runSeed(seed, { traced: true, actions: ++actions, mode })
  if (result.wrong.length === 0) return `seed ${seed}, which does not fail again: ${failed.wrong.join('; ')}`
  const end = result.lines.findIndex(line => line.includes('WRONG')) + 1
  const trace = result.lines.slice(Math.max(0, end - lines), end).join('\n')
  return `seed ${seed}, with ${actions} actions: ${result.wrong[0]}\n${trace}\n(npm run simulate -- ${mode === 'own' ? '' : `--${mode} `}--seed ${seed} --lines 1000)`
}

/** Returns what is wrong, without numbers. */
const describe = ({ wrong: [first = ''] }: SeedResult): string => first.replaceAll(/\d+/gu, '')

/** Ids count up across seeds. With a constant number of digits all seeds are repeatable: each message is as long as before. */
export function fixIds(): void {
  while (new Channel().id < 1_000_000);
  const host = { options: { pattern: 'brownfield' }, core: { isUp: false } } as FrontendHost
  const deps = { config: {}, createRuntime: () => ({}) } as unknown as FrontendDeps
  while (new Frontend(host, deps, () => {}).id < 100_000);
}
