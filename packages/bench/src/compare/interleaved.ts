// Head and base in this moment, on this machine, interleaved: the comparison that can be trusted. The base, the head and the
// base again are three arms of one scenario, each in processes of its own, so that a run like any other is the comparison.
import { existsSync } from 'node:fs'
import { cp, mkdir } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import type { Arm } from '../arm.js'
import type { CompareOptions } from '../command/options.js'
import { launchFresh } from '../run/fresh-process.js'
import type { Launch, Launched } from '../run/launch.js'
import type { Outcome } from '../run/run.js'
import type { FigureKind, Scenario } from '../scenario.js'
import { NOISE } from '../scenarios/noise.js'
import { loadScenarios, parseFilter, type Additions, type Loaded } from '../scenarios/select.js'
import { UsageError } from '../shared/text.js'
import { makeHarness, type Base } from './checkout.js'
import { judge, leastProcesses, type Method, type Sides } from './judge.js'

export type Side = 'base' | 'head' | 'again'

const SIDES: readonly [Side, ...Side[]] = ['base', 'head', 'again']

/** No slot is shorter than so many of the plan's: in a few milliseconds, one garbage collection is all that is seen. */
const LEAST_SHARE = 4

export async function interleave(
  base: Exclude<Base, { kind: 'file' }>,
  options: CompareOptions,
  temporary: string,
  measure: (scenarios: readonly Scenario[], launch: Launch) => Promise<Outcome[]>,
): Promise<Method> {
  const [ours, theirs] = await getAdditions(base, options.additions)
  const chosen = chooseForComparison(await loadScenarios(ours), options.filter)
  const head = makeHarness(join(temporary, 'head-bench'))
  const other = makeHarness(join(temporary, 'base-bench'), base.root)
  const launchSide = (side: Side): Promise<Launched> =>
    side === 'head' ? launchFresh(ours, head.entry) : launchFresh(theirs, other.entry)
  const figures = chosen.flatMap(({ arms, cases }) =>
    arms.flatMap(() => cases.flatMap(inCase => inCase.figures.filter(isJudged))),
  )
  const rule = { tolerance: options.tolerance, figures: figures.length }
  const { processes } = options.plan
  const least = leastProcesses(rule)
  const isSame = head.libraries.every((path, at) => path === other.libraries[at])
  return {
    rule,
    measure: async suspects => {
      const sides = splitSides(suspects ? onlyFigures(chosen, suspects) : chosen, launchSide)
      return sides.read(await measure(sides.scenarios, sides.launch)).map(one => judge(one, rule))
    },
    notes: [
      ...(isSame ? ['Head and base are the same directories: every difference is noise.'] : []),
      ...(processes < least
        ? [`The bounds claim more than ${processes} of --processes can hold: from ${least} on they hold it.`]
        : []),
    ],
  }
}

export interface SplitSides {
  scenarios: Scenario[]
  /** Starts one process for each side. */
  launch: Launch
  read(outcomes: readonly Outcome[]): Sides[]
}

/** Makes a scenario for each arm, whose arms are the sides: six rounds are the six orders of three sides. */
export function splitSides(chosen: readonly Scenario[], launchSide: (side: Side) => Promise<Launched>): SplitSides {
  const originals = new Map<Arm, Arm>()
  const scenarios = chosen.flatMap(scenario =>
    scenario.arms.map((arm): Scenario => {
      const [first, ...others] = SIDES.map((side): Arm => ({ ...arm, id: side, title: `${arm.title}, ${side}` }))
      for (const one of [first!, ...others]) originals.set(one, arm)
      // All rounds, whatever part of them the scenario usually has: their orders make a whole.
      const lengths = { roundsShare: 1, share: Math.max(LEAST_SHARE, scenario.share ?? 1) }
      return { ...scenario, ...lengths, title: `${scenario.title}: ${arm.title}`, arms: [first!, ...others] }
    }),
  )
  const launch: Launch = async () => {
    const started = await Promise.allSettled(SIDES.map(launchSide))
    return {
      // A side that does not start fails by itself: the base can lack what the head has.
      open: async (scenario, arm) => {
        const side = started[SIDES.indexOf(arm.id as Side)]!
        if (side.status === 'rejected') throw side.reason
        return side.value.open(scenario, originals.get(arm)!)
      },
      end: async () => {
        await Promise.all(started.map(async side => side.status === 'fulfilled' && side.value.end()))
      },
    }
  }
  const read = (outcomes: readonly Outcome[]): Sides[] =>
    outcomes.flatMap(outcome => readSides(outcome, originals.get(outcome.scenario.arms[0])!.id))
  return { scenarios, launch, read }
}

/** False for tails, which say too little in few rounds, for what has no ratio, and for what stands aside. */
export const isJudged = ({ id, unit, aside }: FigureKind): boolean =>
  !aside && !id.startsWith('p99') && (unit === 'µs' || unit === '/s' || unit === 'B')

const readSides = ({ scenario, cells }: Outcome, arm: string): Sides[] =>
  scenario.cases.flatMap(inCase => {
    const [base, head, again] = scenario.arms.map(side =>
      cells.find(cell => cell.inCase === inCase && cell.arm === side)!,
    )
    const missing = base!.error ?? again!.error
    const failed = missing ? undefined : head!.error
    return inCase.figures.filter(isJudged).map((kind): Sides => {
      const getValues = ({ error, processes }: Outcome['cells'][number]): number[][] =>
        error ? [] : processes.map(rounds => rounds.map(figures => figures[kind.id] ?? NaN))
      return {
        figure: [scenario.id, inCase.id, arm, kind.id].join('/'),
        kind,
        base: getValues(base!),
        head: getValues(head!),
        again: getValues(again!),
        ...(failed && { failed: failed.message }),
        ...(missing && { missing: missing.message }),
      }
    })
  })

/** Without a filter: the ways that a message can take, in figures that are steady. */
const LINKS = ['ring-json', 'ring-msgpack', 'port-json', 'isolation-ring-json']
const USUAL = new Set([
  ...['latency/1', 'throughput/64'].flatMap(inCase => LINKS.map(arm => `${inCase}/${arm}`)),
  ...['json', 'msgpack'].flatMap(arm => [`codec/usual/${arm}`, `one-thread/64/${arm}`]),
])

/**
 * Chooses what the head's code can change. A reference stays the same, and is left out unless nothing else is asked for.
 *
 * @throws {UsageError} if nothing is left
 */
export function chooseForComparison({ ours, own }: Loaded, filter: string | null): Scenario[] {
  const isUsual = own.length > 0 ? (): boolean => true : (path: string): boolean => USUAL.has(path)
  const isWanted = filter === null ? isUsual : parseFilter(filter)
  const all = filter === null && own.length > 0 ? own : [...ours, ...own].filter(({ id }) => id !== NOISE)
  const chosen = all.flatMap(scenario => {
    const others = narrow(scenario, path => isWanted(path) && !path.endsWith(`/${scenario.arms[0].id}`))
    return others.length > 0 ? others : narrow(scenario, isWanted)
  })
  if (chosen.length > 0) return chosen
  throw new UsageError(`nothing has '${filter}' in its path. \`sallyport-bench list\` says what there is.`)
}

/** Keeps the wanted cases and arms; unlike in a run, the reference is not added. */
function narrow(scenario: Scenario, isWanted: (path: string) => boolean): Scenario[] {
  const wants = (inCase: { id: string }, arm: Arm): boolean => isWanted(`${scenario.id}/${inCase.id}/${arm.id}`)
  const [first, ...others] = scenario.arms.filter(arm => scenario.cases.some(inCase => wants(inCase, arm)))
  const cases = scenario.cases.filter(inCase => scenario.arms.some(arm => wants(inCase, arm)))
  return first ? [{ ...scenario, arms: [first, ...others], cases }] : []
}

/** The same scenarios, with these figures alone. */
const onlyFigures = (chosen: readonly Scenario[], figures: readonly string[]): Scenario[] => {
  const paths = new Set(figures.map(dirname))
  return chosen.flatMap(scenario =>
    scenario.arms.flatMap(arm => narrow({ ...scenario, arms: [arm] }, path => paths.has(path))),
  )
}

/**
 * The user's own files for each side. A scenario and a codec can import the code that is compared, so each side has the file
 * at its own place; into a checkout of ours the head's file is copied, so that both do the same work.
 */
async function getAdditions(base: Exclude<Base, { kind: 'file' }>, given: Additions): Promise<[Additions, Additions]> {
  const findCopy = async (path: string): Promise<string> => {
    const copy = join(base.directory, relative(process.cwd(), path))
    if (base.kind === 'ref') {
      await mkdir(dirname(copy), { recursive: true })
      await cp(path, copy)
    }
    if (!existsSync(copy)) throw new UsageError(`--base: ${base.name} has no ${relative(process.cwd(), path)}`)
    return copy
  }
  const [scenarios, payloads, codecs] = [given.scenarios, given.payloads, given.codecs].map(paths =>
    paths.map(path => resolve(path)),
  ) as [string[], string[], string[]]
  const copies = {
    scenarios: await Promise.all(scenarios.map(findCopy)),
    codecs: await Promise.all(codecs.map(findCopy)),
  }
  return [
    { scenarios, payloads, codecs },
    { payloads, ...copies },
  ]
}
