// Head and base in this moment, on this machine, in turns: the comparison that can be trusted.
import { existsSync } from 'node:fs'
import { cp, mkdir } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { loadScenarios, type Additions } from '../command/additions.js'
import { launchFresh } from '../run/fresh-process.js'
import type { Launched } from '../run/run.js'
import type { Scenario } from '../model/scenario.js'
import { UsageError } from '../command/usage.js'
import type { Base } from './base.js'
import { chooseForComparison, onlyFigures } from './choose.js'
import { makeHarness } from './harness.js'
import { judge, leastProcesses, type Judged, type Rule } from './judge.js'
import type { Found, Run } from './main.js'
import { judgeSuspectsAgain, measureAll } from './measure.js'
import { countFigures, inTurnsBySide, type Side } from './sides.js'

export async function compareInTurns(context: Run<'folder' | 'ref'>): Promise<Found> {
  const { base, options, temporary } = context
  const [here, there] = await additionsOf(base, options.additions)
  const chosen = chooseForComparison(await loadScenarios(here), options.filter)
  const head = makeHarness(join(temporary, 'head-bench'))
  const other = makeHarness(join(temporary, 'base-bench'), base.root)
  const launch = (side: Side): Promise<Launched> =>
    side === 'head' ? launchFresh(here, head.entry) : launchFresh(there, other.entry)

  const rule: Rule = { tolerance: options.tolerance, figures: countFigures(chosen) }
  const first = await measure(context, chosen, rule, launch)
  const repeat = await judgeSuspectsAgain(context, first, suspects =>
    measure(context, onlyFigures(chosen, suspects), rule, launch),
  )
  const { processes } = options.plan
  const least = leastProcesses(rule)
  const same = head.libraries.every((path, at) => path === other.libraries[at])
  return {
    rule,
    first,
    repeat,
    notes: [
      ...(same ? ['Head and base are the same folders: whatever differs is noise.'] : []),
      ...(processes < least ? [fewProcesses(processes, least)] : []),
    ],
  }
}

const fewProcesses = (processes: number, least: number): string =>
  `The bounds are surer than ${processes} of --processes can make them: from ${least} on they hold what they say.`

async function measure(
  context: Run<'folder' | 'ref'>,
  chosen: readonly Scenario[],
  rule: Rule,
  launch: (side: Side) => Promise<Launched>,
): Promise<Judged[]> {
  const turns = inTurnsBySide(chosen, launch)
  return turns.read(await measureAll(context, turns.scenarios, turns.launch)).map(sides => judge(sides, rule))
}

/**
 * The user's own files for each side. A scenario and a codec may lead to the code that is compared, so each side has the file
 * that lies at its own place; into a checkout of ours the head's is copied, so that both do the same work.
 */
async function additionsOf(base: Exclude<Base, { kind: 'file' }>, given: Additions): Promise<[Additions, Additions]> {
  const absolute = (paths: readonly string[]): string[] => paths.map(path => resolve(path))
  const there = async (path: string): Promise<string> => {
    const copy = join(base.folder, relative(process.cwd(), resolve(path)))
    if (base.kind === 'ref') {
      await mkdir(dirname(copy), { recursive: true })
      await cp(path, copy)
    }
    if (!existsSync(copy)) throw new UsageError(`--base: ${base.name} has no ${path}`)
    return copy
  }
  const here: Additions = {
    scenarios: absolute(given.scenarios),
    payloads: absolute(given.payloads),
    codecs: absolute(given.codecs),
  }
  return [
    here,
    {
      ...here,
      scenarios: await Promise.all(here.scenarios.map(there)),
      codecs: await Promise.all(here.codecs.map(there)),
    },
  ]
}
