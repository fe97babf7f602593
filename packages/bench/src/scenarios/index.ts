// All scenarios, in the order in which they run and are shown, and the choice of those that a command measures.
import { UsageError } from '@sallyport/protocol/internal/command-line'
import { formatBytes } from '#measure/text'
import { formatArms, isolationRingJson, portJson, ringJson, ringMsgpack, speedArms } from '../arms/bus.js'
import { cipherArms } from '../arms/cipher.js'
import { fewCallsArms, manyArms, pluginArms, sandboxArms } from '../arms/fresh.js'
import { oneThreadArms, peerArms, rawPort } from '../arms/threads.js'
import * as payloads from '../model/payloads.js'
import type { Payload } from '../model/payloads.js'
import type { Arm, Arms, Case, FigureKind, Mode, Scenario } from '../model/scenario.js'
import { AGAIN, ALONE, latency, PAYLOAD_PREFIX, rate, withAgain } from '../model/scenario.js'
import { readTable } from '../shared/text.js'

type Figures = readonly FigureKind[]

/** Of one arm, in CPU time. */
const WARM_UP_MS = 2500

const inCase = (
  id: string,
  title: string,
  task: Case['task'],
  figures: Figures,
  payload: Payload = payloads.usualCall,
): Case => ({ id, title, task, payload, figures })

const calls = (inFlight: number): Case['task'] => ({ loop: 'calls', inFlight })

const P50 = latency('p50', 'p50')
const CPU = latency('cpu', 'CPU each')
const A_SECOND = rate('rate', 'a second')

const throughput = (count: number): Case => {
  const figure = count === 1 ? { ...P50, title: 'one call' } : rate('rate', `${count} calls`)
  const measured = inCase(String(count), `${count} in flight`, calls(count), [figure, ...(count === 64 ? [CPU] : [])])
  return { ...measured, ...(count === 64 && { warmUpMs: WARM_UP_MS }) }
}

/** V8 would not compile the code of so few calls: the warm-up is that of many. */
const seldom = (id: 'burst' | 'sparse', title: string, share: number): Case => {
  return { ...inCase(id, title, { loop: id }, [P50]), share, settleShare: 0 }
}

/** Each measurement makes them in a fresh process. */
const fewCalls: Figures = [
  latency('import', 'import to first answer'),
  latency('first', 'first 99 calls, each'),
  latency('next', 'next 900, each'),
  latency('p50', 'a call each 20 ms'),
  latency('cpu', 'its CPU time'),
]

const PSS: FigureKind = { id: 'pss', title: 'memory', unit: 'B', better: 'lower' }

const sandbox: Figures = [latency('ready', 'start to first call'), PSS, latency('seldom', 'a call each 20 ms')]

const plugin: Figures = [
  ...sandbox,
  { ...PSS, id: 'next', title: 'memory of each next' },
  { ...P50, title: 'a call back to back' },
  rate('rate', '64 in flight'),
  latency('bytes', '1 MiB of bytes'),
  latency('end', 'end of a loop'),
]

/** @param share - slot, as a multiple of the plan's */
const many = (count: number, share: number): Case => {
  const figures = [
    latency('cpu', `${count}, start of each`),
    { ...PSS, title: `${count}, memory of each` },
    latency('end', `${count}, end of each`),
  ]
  return { ...inCase(String(count), `${count} plugins`, { loop: 'many', count }, figures), share }
}

const cipher = (bytes: number): Case =>
  inCase(
    String(bytes),
    formatBytes(bytes),
    { loop: 'cipher' },
    [latency('seal', 'sealing'), latency('open', 'opening')],
    payloads.messageOf(bytes),
  )

/** The bus over both links, and with a gate. */
const both: Arms = [portJson, ringJson, isolationRingJson]

/** The shapes of traffic. */
const shapes = [
  { ...inCase('steady', 'calls back to back', calls(1), [P50]), share: 1.4, settleShare: 0.5 },
  seldom('burst', '40 calls after a silence', 2.4),
  seldom('sparse', 'a call every 4 ms', 2.4),
  { ...inCase('64', '64 calls in flight', calls(64), [A_SECOND]), settleShare: 0.7, warmUpMs: WARM_UP_MS },
]

/**
 * Slot, settling time and rounds are multiples of the plan's. A ring that slept polls again after 4 ms of calls, and with many in
 * flight after 50 ms: its settling time is longer.
 */
const TABLE = readTable(`
  id                | from    | rows  | arms in   | slot | settle | rounds | title                                      | about
  few-calls         | full    | arms  | processes | 42   | 0      | 0.25   | Few calls                                  | greet({ name, n, tags[3] }) in a fresh process for each measurement: from before the import to the first answer, the mean of the next 99 calls and of the 900 after them, and one call each 20 ms with the CPU time of the process and its children
  formats           | quick   | arms  | threads   | 1    | 0.5    | 1      | Formats, the hook and encryption           | echo(value) between two threads over a ring with many in flight (64 calls and documents of 24 KiB, 3 of 692 KiB, 2 MiB of bytes): the CPU time of all threads for one message, and the rate. A call has { name, n, tags[3], note }; the documents are GitHub's pull_request events and the Chrome DevTools protocol, and as bytes they are their JSON, which no side writes or parses. JSON-RPC is the reference; each format sends bytes as they are
  speed             | full    | arms  | threads   | 1    | 0.5    | 1      | The speed of each format                   | the messages of "formats": the latency of one alone, and the rate of many. JSON-RPC is the reference
  sizes             | by name | arms  | threads   | 1    | 0.5    | 1      | Sizes of one kind of document              | echo(value) as in "formats" of documents of one kind, a list of definitions of the Chrome DevTools protocol, from 1 KiB to 1 MiB. JSON-RPC is the reference
  cipher            | full    | cases | threads   | 0.8  | 0      | 1      | Sealing and opening alone                  | one message sealed and opened in one thread, without a bus: the CPU time of each; the reference is node:crypto with the same algorithm, AES-256-GCM
  shapes            | full    | cases | threads   | 3    | 1      | 0.75   | A call, by the shape of the traffic        | greet({ name, n, tags[3] }): one after the other; 40 after 60 ms of silence; one each 4 ms; and 64 in flight
  throughput        | by name | arms  | threads   | 3    | 2      | 0.5    | Calls by other libraries                   | greet({ name, n, tags[3] }), one at a time, and so many in flight at any time, with the CPU time of the whole process for each of 64
  sandboxes         | quick   | arms  | processes | 76   | 0      | 0.25   | Sandboxes                                  | one plugin in each sandbox: the first three figures of the scenario "plugin"
  load              | by name | arms  | threads   | 16   | 0      | 0.5    | Calls at a fixed rate                      | echo(value) of a call or a document as in "formats", offered at a rate whether or not earlier calls were answered, and timed from when each was due: the highest rate at which the p99 stays below 5 ms, and the p99 at half of that rate
  plugin            | by name | arms  | processes | 180  | 0      | 0.25   | A plugin                                   | one plugin in a host process of its own, whose library is loaded: from its start to its first call into the host's code; the memory (PSS) that it adds, and each of two later ones; greet({ name, n, tags[3] }) as the host calls it each 20 ms, after 300 calls, and as the plugin calls it, one at a time and with 64 in flight; 1 MiB of bytes there and back; and from the decision to end its endless loop until it is gone. The reference is a Worker with a bare MessagePort
  many              | by name | arms  | processes | 1    | 0      | 0.25   | Many plugins in one host                   | plugins that are started ten at a time in a host process with one of their kind, called once, and ended with their bus: the CPU time of all processes for the start and the call of each, the memory (PSS) that each adds, and the CPU time of the host for the end of each. What grows with their number costs each of 1000 more than each of 100. Threads and processes are measured up to 100. The reference is a script in a thread with the others
  one-thread        | by name | arms  | threads   | 4    | 0      | 1      | Calls within one thread                    | greet({ name, n, tags[3] }), 64 in flight, client and core in one thread with a port between them: the bus's own code, without what threads add
`)

export const allScenarios = (): Scenario[] => {
  const parts: Readonly<Record<string, readonly [Scenario['arms'], readonly Case[]]>> = {
    'few-calls': [fewCallsArms, [inCase('fresh', 'fresh process', { loop: 'few-calls' }, fewCalls)]],
    shapes: [withAgain([...both, rawPort]), shapes],
    throughput: [withAgain([rawPort, ...peerArms(), ...both, ringMsgpack]), [1, 8, 64, 512].map(throughput)],
    sandboxes: [sandboxArms, [inCase('one', 'a plugin', { loop: 'sandbox' }, sandbox)]],
    load: [loadArms, loadCases()],
    plugin: [pluginArms, [inCase('one', 'a plugin', { loop: 'plugin' }, plugin)]],
    many: [manyArms, [many(10, 80), many(100, 200), many(1000, 500)]],
    formats: [formatArms, formatCases(toCase).map((each, at) => (at < QUICK_SIZES ? each : { ...each, from: 'full' }))],
    speed: [speedArms, formatCases(toSpeedCases)],
    sizes: [speedArms, SIZES.map(toSizeCase)],
    cipher: [cipherArms, [64, 1024, 16 * 1024, 64 * 1024, 2 ** 20].map(cipher)],
    'one-thread': [oneThreadArms, [throughput(64)]],
  }
  return TABLE.slice(1).map((row): Scenario => {
    const [id = '', from, rows, armsIn, slot, settle, rounds, title = '', about = ''] = row
    const [arms, cases] = parts[id]!
    return {
      ...{ id, title, about, arms, cases, rows: rows as Scenario['rows'] },
      ...{ share: Number(slot), settleShare: Number(settle), roundsShare: Number(rounds) },
      ...(from !== 'by name' && { from: from as Mode }),
      ...(armsIn === 'processes' && { spawns: true }),
    }
  })
}

/** Returns all scenarios, or one for each payload of a file. @throws {UsageError} if there is none */
export const loadScenarios = async (payload: string | null): Promise<Scenario[]> =>
  payload === null ? allScenarios() : (await payloads.loadUserPayloads(payload)).map(toPayloadScenario)

/** Reads a filter: a regular expression, such as a part of a path. @throws {UsageError} if it is invalid */
export function parseFilter(filter: string): (path: string) => boolean {
  try {
    const expression = new RegExp(filter, 'i')
    return path => expression.test(path)
  } catch (error) {
    throw new UsageError(`--filter: ${(error as Error).message}`)
  }
}

/**
 * Returns the scenarios with the wanted cases and arms. A case is measured with every arm that is wanted in any case, and with the
 * reference and its double, because a figure without them says little.
 */
export const select = (
  scenarios: readonly Scenario[],
  isWanted: (path: string) => boolean,
  withReference = true,
): Scenario[] =>
  scenarios.flatMap(scenario => {
    const wants = (inCase: Case, arm: Arm): boolean => isWanted(`${scenario.id}/${inCase.id}/${arm.id}`)
    const cases = scenario.cases.filter(inCase => scenario.arms.some(arm => wants(inCase, arm)))
    const [first, ...others] = scenario.arms.filter(
      (arm, at) => (withReference && (at === 0 || arm.id.endsWith(AGAIN))) || cases.some(inCase => wants(inCase, arm)),
    )
    return first && cases.length > 0 ? [{ ...scenario, arms: [first, ...others], cases }] : []
  })

/**
 * Chooses, in their order, the scenarios of the mode, or the parts of those of a full run that match the filter. The filter must name any other scenario,
 * so that `--filter msgpack` does not take an hour.
 *
 * @param exactly - without references that do not match
 * @throws {UsageError} if the filter is invalid, or nothing matches
 */
export function choose(
  scenarios: readonly Scenario[],
  filter: string | null,
  mode: Mode = 'quick',
  exactly = false,
): Scenario[] {
  if (filter === null) {
    const isOf = ({ from }: Case): boolean => from === undefined || from === mode
    return scenarios
      .filter(({ from }) => from === 'quick' || (from && from === mode))
      .map(scenario => ({ ...scenario, cases: scenario.cases.filter(isOf) }))
  }
  const named = scenarios.find(({ id }) => filter.toLowerCase().startsWith(`${id}/`))
  // Ids of cases can end with that of a scenario.
  const isWanted = parseFilter(named ? `^${filter}` : filter)
  const isNamed = (scenario: Scenario): boolean =>
    scenario.from !== undefined || scenario === named || isWanted(`${scenario.id}/`)
  const chosen = select(scenarios.filter(isNamed), isWanted, !exactly)
  if (chosen.length > 0) return chosen
  const ids = scenarios.map(({ id }) => id).join(' ')
  throw new UsageError(
    `No path contains '${filter}'. Run \`sallyport-bench list\` for all paths. The scenarios are: ${ids}`,
  )
}

/** Leaves out scenarios and arms that this machine cannot measure. @throws {UsageError} if none is left */
export async function leaveOut(chosen: readonly Scenario[]): Promise<{ scenarios: Scenario[]; leftOut: string[] }> {
  const leftOut: string[] = []
  const isAble = async (path: string, { lacks }: Arm): Promise<boolean> => {
    const lack = await lacks?.()
    if (lack !== undefined) leftOut.push(`${path} is left out: ${lack}`)
    return lack === undefined
  }
  const scenarios: Scenario[] = []
  for (const scenario of chosen) {
    const [reference, ...others] = scenario.arms
    if (!(await isAble(scenario.id, reference))) continue
    const able: Arm[] = []
    for (const arm of others) if (await isAble(`${scenario.id}/*/${arm.id}`, arm)) able.push(arm)
    scenarios.push({ ...scenario, arms: [reference, ...able] })
  }
  if (scenarios.length === 0) throw new UsageError(leftOut.join('\n'))
  return { scenarios, leftOut }
}

/** Of the formats, in a run without `--full`. */
const QUICK_SIZES = 2

/** More would measure the collection of garbage, and fewer how threads wait for each other. */
const BYTES_IN_FLIGHT = 2 ** 21
const [LEAST_IN_FLIGHT, MOST_IN_FLIGHT] = [2, 64]

/** Half the width of a ratio's interval that ends the rounds, as a part of the ratio. */
const PRECISE = 0.03

/** Of many messages, by their size: slot, settling time, which small ones need until a ring polls, and the longest warm-up. The first that a size reaches counts. */
const LENGTHS = [
  { from: 64 * 1024, share: 4, settleShare: 0, warmUpMs: 500 },
  { from: 4096, share: 1.6, settleShare: 0.25, warmUpMs: 1000 },
  { from: 0, share: 1.6, settleShare: 1, warmUpMs: WARM_UP_MS },
] as const

/** Many messages, whose threads never wait for each other, for their CPU time. */
function toCase(payload: Payload, id: string, title: string): Case {
  const bytes = payloads.payloadBytes(payload)
  const inFlight = Math.max(LEAST_IN_FLIGHT, Math.min(MOST_IN_FLIGHT, Math.round(BYTES_IN_FLIGHT / (bytes + 1))))
  const { from: _, ...lengths } = LENGTHS.find(({ from }) => bytes >= from)!
  const cpu = { ...latency('cpu', `${title}, CPU time`), precise: PRECISE }
  const figures = [cpu, rate('rate', `${title}, a second`)]
  return { id, title, payload, task: calls(inFlight), figures, ...lengths }
}

/** A message alone, for its latency. */
function toAlone(payload: Payload, id: string, title: string): Case {
  const settleShare = payloads.payloadBytes(payload) < 64 * 1024 ? 0.5 : 0
  const figures = [latency('p50', `${title}, latency`)]
  return { id: `${id}${ALONE}`, title, payload, task: calls(1), figures, share: 1, settleShare }
}

const toSpeedCases = (...named: Parameters<typeof toCase>): Case[] => {
  const { figures, ...many } = toCase(...named)
  return [{ ...many, figures: figures.filter(({ id }) => id === 'rate') }, toAlone(...named)]
}

/** From a small call to a mebibyte of bytes. */
const formatCases = (create: (...named: Parameters<typeof toCase>) => Case | Case[]): Case[] =>
  [
    create(payloads.smallCall, 'call', '100 B call'),
    ...[payloads.githubPullRequests(), payloads.devtoolsProtocol()].map(payload =>
      create(payload, payload.id, `${formatBytes(payloads.payloadBytes(payload))} document`),
    ),
    create(payloads.mebibyte(), 'mebibyte', '1 MiB of bytes'),
  ].flat()

const SIZES = [1, 4, 16, 64, 256, 1024].map(kibibytes => kibibytes * 1024)

const toSizeCase = (bytes: number): Case =>
  toCase(payloads.definitions(bytes), `${bytes / 1024}-kib`, `${formatBytes(bytes).replace(/\.0+/, '')} document`)

/** The small ones of the formats: a large message alone takes longer than the limit of the latency. */
const loadCases = (): Case[] =>
  formatCases(toCase)
    .slice(0, 2)
    .map(({ id, title, payload }) => {
      const figures = [latency('p99', `${title}, p99 at half load`), rate('limit', `${title}, p99 below 5 ms up to`)]
      return { ...inCase(id, title, { loop: 'load', inFlight: 64 }, figures, payload), warmUpMs: WARM_UP_MS }
    })

/** Calls in both codecs, as they are and isolated. */
const loadArms: Arms = [ringJson, ringMsgpack, isolationRingJson]

export function toPayloadScenario(payload: Payload): Scenario {
  const named = [payload, 'payload', formatBytes(payloads.payloadBytes(payload))] as const
  return {
    id: `${PAYLOAD_PREFIX}${payload.id}`,
    title: `${payload.title}, ${named[2]}`,
    about:
      'echo(payload) between two threads, several in flight with the CPU time of all threads for each, and one at a time. JSON-RPC is' +
      ' the reference; each format sends bytes as they are, and the bytes of a document are those of its JSON, which no side writes or parses',
    arms: formatArms,
    cases: [toCase(...named), toAlone(...named)],
    rows: 'arms',
    from: 'quick',
  }
}
