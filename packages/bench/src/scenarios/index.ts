// All scenarios, in the order in which they run and are shown: a row for each, with its arms, and its cases: what is sent, by which
// loop, and which figures come out.
import * as features from '../arms/features.js'
import * as lifecycle from '../arms/lifecycle.js'
import { lacksServer, natsArms } from '../arms/nats.js'
import { codecArms, oneThreadArms } from '../arms/threads.js'
import { FAN_SIZES } from '../loops/handlers.js'
import { latency, rate, type Case, type FigureKind, type Scenario } from '../model/scenario.js'
import * as payloads from '../payloads/payloads.js'
import { readTable } from '../shared/text.js'

type Payload = payloads.Payload
type Figures = readonly FigureKind[]

const { clockedCall, greet, scopedCall, usualCall } = payloads

const inCase = (
  id: string,
  title: string,
  task: Case['task'],
  figures: Figures,
  payload: Payload = usualCall,
): Case => ({ id, title, task, payload, figures })

const calls = (inFlight: number): Case['task'] => ({ loop: 'calls', inFlight })

const aside = (figure: FigureKind): FigureKind => ({ ...figure, aside: true })
const P50 = latency('p50', 'p50')
const P99 = latency('p99', 'p99')
const CPU = latency('cpu', 'CPU each')
const ROUND_TRIP = latency('p50', 'there and back')
const A_SECOND = rate('rate', 'a second')
const MEMORY: FigureKind = { id: 'rss', title: 'memory', unit: 'B', better: 'lower' }

/** One call at a time, and 64 in flight. */
const callCases = (figures: Figures, payload?: Payload): Case[] => [
  inCase('1', 'one at a time', calls(1), figures, payload),
  inCase('64', '64 in flight', calls(64), [rate('rate', '64 calls')], payload),
]

/** 64 calls in flight: calls per second, and in the report the CPU time of the whole process for each call. */
const pipelined = (id: string, title: string, payload?: Payload): Case =>
  inCase(id, title, calls(64), [rate('rate', title), aside(CPU)], payload)

const alone = inCase('1', 'one at a time', calls(1), [P50, aside(CPU)])
const usual = [alone, pipelined('64', '64 calls')]
const io64 = (payload?: Payload): Case =>
  inCase('64', '64 in flight', calls(64), [rate('rate', '64 calls'), CPU], payload)

const throughput = (count: number): Case => {
  const figures = [rate('rate', count === 1 ? '1 call' : `${count} calls`), count === 64 ? CPU : aside(CPU)]
  return inCase(String(count), `${count} in flight`, calls(count), [...figures, aside(latency('each', 'each call'))])
}

const document = (payload: Payload): Case => inCase(payload.id, payload.title, { loop: 'calls' }, [ROUND_TRIP], payload)
const mebibyte = (loop: 'calls' | 'giving'): Case[] => [
  inCase('mebibyte', '1 MiB', { loop }, [ROUND_TRIP, A_SECOND], payloads.mebibyte()),
]
const codec = (id: string, title: string, inFlight: number, payload: Payload): Case =>
  inCase(id, title, { loop: 'codec', inFlight }, [latency('each', 'each message')], payload)

/** By the number of frontends or listeners: an event's cost should not grow with it. */
const bySize = (loop: 'fan-out' | 'listeners', unit: string, sizes: readonly number[]): Case[] =>
  sizes.map(size => inCase(String(size), `${size} ${unit}`, { loop, size }, [latency('each', 'an event')]))

const start = [inCase('start', 'start to first reply', { loop: 'start' }, [latency('time', 'first reply')], greet)]

/** Warmed up with calls one after the other: so few would not be compiled within the run. */
const seldom = (id: 'burst' | 'sparse', title: string, share: number): Case => {
  const figures = [latency('p50', 'p50'), aside(P99)]
  return { ...inCase(id, title, { loop: id }, figures), warmUp: { loop: 'calls' }, share, settleShare: 0 }
}

const open = (thousands: number): Case => {
  const task = { loop: 'open', perSecond: 1000 * thousands } as const
  return { ...inCase(`open-${thousands}k`, `${thousands},000/s offered`, task, [P50, P99]), share: 2, settleShare: 3 }
}

/** The ways in which calls come, each with slots that fit it. */
const shapes = [
  inCase('steady', 'steady', calls(1), [P50, aside(P99), aside(CPU)]),
  seldom('burst', 'burst', 4),
  seldom('sparse', 'sparse', 4),
  inCase('64', '64 in flight', calls(64), [rate('rate', 'a second'), aside(CPU)]),
  open(20),
  open(60),
]

/**
 * Slots of 0.3 s in half of the rounds, each after at most 0.18 s to settle: a ring that slept while other arms were measured polls
 * again after 0.05 s of calls, and a part of the time to settle is half of that.
 */
const LONG = { share: 10, settleShare: 0.6, roundsShare: 0.5, warmUpShare: 0.75 } as const

/** 0.15 s. */
const SHORT = { ...LONG, share: 5, settleShare: 1.2, warmUpShare: 0.5 } as const

/** 0.09 s. */
const SHAPES = { ...SHORT, share: 3, settleShare: 2 } as const

/** A process of its own for each measurement: few rounds, and nothing to warm up. */
const ALONE = { roundsShare: 0.5, warmUpShare: 0, spawns: true } as const

const NATS = { ...LONG, lacks: lacksServer, spawns: true } as const

/** A row for each case in its table, instead of one for each arm. */
const CASES = { rows: 'cases' } as const

/** Many cases, with at most 4 rounds each. */
const FLAT = { ...SHORT, ...CASES, roundsShare: 1 / 3, settleShare: 0 } as const

type Row = Omit<Scenario, 'id' | 'title' | 'about' | 'rows'> & Partial<Pick<Scenario, 'rows'>>

/** The id of each scenario, its title, and one sentence: the measurement, and the reference. */
const TEXTS = readTable(`
  noise         | Noise: the same thing twice (A/A)          | greet({ name, n, tags[3] }) by two arms that are the same: as far as they differ, nothing else can be told apart
  shapes        | A call, by the shape of the traffic        | greet({ name, n, tags[3] }): one after the other; 40 after 60 ms of silence; one each 4 ms; 64 in flight; and at fixed rates, each timed from when it was due
  latency       | Latency of a call                          | greet({ name, n, tags[3] }) one at a time, with the CPU time of the whole process for each
  throughput    | Calls per second                           | greet({ name, n, tags[3] }), so many in flight at any time, and the CPU time of the whole process for each
  isolation     | Cost of isolation for a call               | greet({ name, n, tags[3] }) over rings with JSON, one at a time and 64 in flight; each arm adds one thing
  documents     | Documents there and back                   | echo(document), one at a time, plain and encrypted: a greet call, GitHub's webhook events (all published examples of each), the Chrome DevTools protocol; median time there and back
  events        | Events                                     | events a second (at most 1024 in flight), every one counted; the reference is one postMessage for each
  channel       | Messages of a channel, core → frontend     | channels of 4096 messages that the sender awaits; the reference posts each message, and waits for none
  start         | Start                                      | from createBus to the first reply in the frontend; the reference is one empty Worker
  codec         | Codecs alone                               | a message written and read again in one thread, time for each message; the reference is V8's structured clone
  one-thread    | Calls within one thread                    | greet({ name, n, tags[3] }), 64 in flight, client and core in one thread with a port between them: the bus's own code, without what threads add
  idle          | Open, and silent                           | each alone in a process of its own, after some calls: CPU time while nothing is sent, in % of a core, and memory
  busy          | One core taken by another process          | the same calls next to a process that occupies a core; the benchmark starts it, and ends it
  io            | A handler that awaits a file               | the handler reads a file of 1 KiB and answers with its text, 64 in flight; the reference has the same handler
  copied        | 1 MiB of bytes there and back, copied      | bytes that both sides keep; the reference is a raw structured clone
  given         | 1 MiB of bytes there and back, transferred | bytes that go with { transfer }, and come back with transfer(); the reference transfers an ArrayBuffer
  sealed        | 1 MiB of bytes there and back, encrypted   | through the gate; the reference encrypts and decrypts the same bytes in one thread, and sends nothing
  nats          | Over NATS                                  | greet({ name, n, tags[3] }), one at a time and 64 in flight, and 1 MiB of bytes there and back, between two threads that meet over a NATS server on this machine; the reference is NATS's own request and reply
  validation    | A schema for the arguments                 | greet({ name, n, tags[3] }) over a ring, with a schema of its three members that zod or valibot checks in core; the reference checks nothing
  authority     | Capabilities and scopes                    | greet({ name, n, tags[3] }) over a ring, allowed by 1 or 100 capabilities of twenty commands each, and a handler that looks for the name in its scope, which has 100 entries in one arm; the reference has no capability, and all is open
  fan-out       | More frontends                             | time for each event that arrives, by how many frontends it goes to; every arrival is counted
  listeners     | More listeners                             | time for each event that arrives, by how many listeners a frontend has, each of an event of its own
  sandbox       | A call from each sandbox                   | greet({ name, n, tags[3] }), one at a time and 64 in flight, by the clock of core; the reference has no sandbox
  sandbox-start | The start of each sandbox                  | from createBus to the first reply in the frontend; the reference has no sandbox
  memory        | The memory of a frontend                   | the resident memory that one more frontend takes, of four, in all processes, in each sandbox and with a gate; the reference has neither
`)

/** Reads files, and the versions of the peers, when it is called. */
export const allScenarios = (): Scenario[] => {
  const all = features.callArms()
  const rows: Readonly<Record<string, Row>> = {
    noise: { main: true, arms: features.noise, cases: callCases([P50]), share: 2, settleShare: 3, warmUpShare: 0.5 },
    shapes: { main: true, arms: features.shapes(), cases: shapes, ...CASES, ...SHAPES },
    latency: { arms: all, cases: [inCase('1', 'one at a time', calls(1), [P50, P99, CPU])], ...LONG },
    // 0.09 s: many arms, in many cases.
    throughput: { arms: all, cases: [1, 8, 64, 512].map(throughput), ...SHAPES },
    isolation: {
      main: true,
      arms: features.isolation,
      cases: callCases([P50, P99]),
      ...SHAPES,
      share: 1.5,
      settleShare: 3,
      warmUpShare: 0.3,
    },
    documents: {
      main: true,
      arms: features.documents,
      cases: [
        ...['push', 'pull_request'].map(payloads.githubEvents),
        payloads.devtoolsProtocol(),
        payloads.devtoolsBytes(),
      ].map(document),
      ...CASES,
      share: 0.6,
      roundsShare: 0.5,
      warmUpShare: 0.3,
    },
    events: {
      main: true,
      arms: features.events,
      cases: [
        inCase('in', 'core → frontend', { loop: 'events-in' }, [rate('rate', 'events')]),
        inCase('out', 'frontend → core', { loop: 'events-out' }, [rate('rate', 'events')]),
      ],
      ...CASES,
      roundsShare: 0.5,
    },
    channel: {
      main: true,
      arms: features.both,
      cases: [inCase('channel', 'channel', { loop: 'stream' }, [rate('rate', 'messages')])],
      ...SHORT,
      share: 2,
      settleShare: 1,
    },
    // A start takes about two slots. One is enough to have read the files.
    start: { main: true, arms: lifecycle.startArms, cases: start, ...CASES, share: 2, warmUpShare: 0.15 },
    codec: {
      main: true,
      arms: codecArms,
      cases: [
        codec('usual', 'a call', 1, usualCall),
        codec('usual-64', 'a call, 64 a frame', 64, usualCall),
        codec('devtools', 'DevTools protocol', 1, payloads.devtoolsProtocol()),
      ],
      ...CASES,
      share: 0.5,
      roundsShare: 0.5,
      warmUpShare: 0.3,
    },
    'one-thread': { arms: oneThreadArms, cases: [io64()], share: 4 },
    idle: {
      arms: lifecycle.idleArms(all),
      cases: [
        inCase('idle', 'idle', { loop: 'idle' }, [
          { id: 'cpu', title: 'idle CPU', unit: '%', better: 'lower' },
          MEMORY,
        ]),
      ],
      ...ALONE,
      share: 25,
      settleShare: 1 / 3,
      roundsShare: 1 / 3,
    },
    busy: { arms: features.plain, cases: callCases([P50]), ...LONG, spawns: true, background: lifecycle.occupyCore },
    io: { arms: features.plain, cases: [io64(payloads.kibFile())], ...SHORT },
    copied: { arms: features.plain, cases: mebibyte('calls'), ...SHORT },
    given: { arms: features.plain, cases: mebibyte('giving'), ...SHORT },
    sealed: { arms: features.encrypted, cases: mebibyte('calls'), ...SHORT },
    nats: { arms: natsArms(), cases: [alone, pipelined('64', '64 in flight'), ...mebibyte('calls')], ...NATS },
    validation: { arms: features.validation, cases: usual, ...SHORT },
    authority: {
      arms: features.authority,
      cases: [...usual, pipelined('scope-64', '64 with scope', scopedCall)],
      ...SHORT,
    },
    'fan-out': { arms: features.fanOut, cases: bySize('fan-out', 'frontends', FAN_SIZES), ...FLAT },
    listeners: { arms: features.plain, cases: bySize('listeners', 'listeners', [10, 100, 1000, 10_000]), ...FLAT },
    sandbox: {
      arms: lifecycle.sandboxArms,
      cases: callCases([P50, P99], clockedCall),
      ...SHORT,
      share: 2,
      settleShare: 3,
      spawns: true,
    },
    'sandbox-start': {
      arms: lifecycle.sandboxStarts,
      cases: start,
      ...CASES,
      share: 5,
      warmUpShare: 0.15,
      spawns: true,
    },
    memory: {
      arms: lifecycle.memoryArms,
      cases: [inCase('memory', 'each frontend', { loop: 'memory' }, [MEMORY], greet)],
      ...ALONE,
      ...CASES,
      share: 40,
    },
  }
  return TEXTS.map(([id, title, about]) => ({ rows: 'arms', id: id!, title: title!, about: about!, ...rows[id!]! }))
}

/** The scenarios that a run without a filter measures. */
export const mainScenarios = (): Scenario[] => allScenarios().filter(({ main }) => main)

/** @throws Error if no scenario has this id */
export function getScenario(id: string): Scenario {
  const found = allScenarios().find(scenario => scenario.id === id)
  if (!found) throw new Error(`Unknown scenario '${id}'`)
  return found
}
