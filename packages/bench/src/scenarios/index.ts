// All scenarios, in the order in which they run and are shown: a row for each. Their cases are in cases.ts.
import * as features from '../arms/features.js'
import * as lifecycle from '../arms/lifecycle.js'
import { lacksServer, natsArms } from '../arms/nats.js'
import { callArms } from '../arms/peers.js'
import { codecArms, httpArms, oneThreadArms } from '../arms/threads.js'
import { NOISE, type Scenario } from '../model/scenario.js'
import { readCases } from './cases.js'

/**
 * 0.3 s after 0.1 s to settle, and 6 rounds. Links are measured ten times as long as other arms, because polling restarts in each
 * slot: all threads slept while the other arms were measured.
 */
const LONG = { share: 10, settleShare: 1 / 3, roundsShare: 0.5, warmUpShare: 0.75 } as const

/** 0.15 s after 0.05 s: for what is steady. */
const SHORT = { ...LONG, share: 5, warmUpShare: 0.5 } as const

/** A process of its own for each measurement: few rounds, and nothing to warm up. */
const ALONE = { roundsShare: 0.5, warmUpShare: 0 } as const

const NATS = { ...LONG, lacks: lacksServer } as const

const IDLE = { ...ALONE, share: 25, settleShare: 1 / 3, roundsShare: 1 / 3 } as const

/** A row for each case in its table, instead of one for each arm. */
const CASES = { rows: 'cases' } as const

/** Many cases, with at most 4 rounds each. */
const FLAT = { ...SHORT, ...CASES, roundsShare: 1 / 3 } as const

type Row = Omit<Scenario, 'about' | 'cases' | 'rows'> & Partial<Pick<Scenario, 'rows'>>

/** Reads files, and the versions of the peers, when it is called. */
export const allScenarios = (): Scenario[] => {
  const cases = readCases()
  const [calls, nats] = [callArms(), natsArms()]
  const rows: Row[] = [
    // A ring that slept while other arms were measured must begin to poll.
    { id: NOISE, title: 'Noise: the same thing twice (A/A)', main: true, arms: features.noise, settleShare: 1 / 2 },
    { id: 'latency', title: 'Latency of a call', arms: calls, ...LONG },
    // 0.09 s: many arms, in many cases.
    { id: 'throughput', title: 'Calls per second', arms: calls, ...SHORT, share: 3 },
    { id: 'isolation', title: 'Cost of isolation for a call', main: true, arms: features.isolation, ...SHORT },
    { id: 'documents', title: 'Documents there and back', main: true, arms: features.documents, ...CASES, share: 0.8 },
    { id: 'events', title: 'Events', main: true, arms: features.events, ...CASES },
    { id: 'channel', title: 'Messages of a channel, core → frontend', main: true, arms: features.both, ...SHORT },
    // A start takes about two slots. One is enough to have read the files.
    { id: 'start', title: 'Start', main: true, arms: lifecycle.startArms, ...CASES, share: 2, warmUpShare: 0.15 },
    { id: 'codec', title: 'Codecs alone', main: true, arms: codecArms, ...CASES, share: 0.5, warmUpShare: 0.5 },
    { id: 'one-thread', title: 'Calls within one thread', arms: oneThreadArms, share: 4 },
    { id: 'sparse', title: 'One call each 4 ms', arms: features.plain, ...LONG, share: 16, warmUpShare: 1.5 },
    { id: 'idle', title: 'Open, and silent', arms: lifecycle.idleArms(calls), ...IDLE },
    {
      id: 'busy',
      title: 'One core taken by another process',
      arms: features.plain,
      ...LONG,
      beside: lifecycle.occupyCore,
    },
    { id: 'io', title: 'A handler that awaits a file', arms: features.plain, ...SHORT },
    { id: 'http', title: "The host's own HTTP server, next to its calls", arms: httpArms, ...LONG },
    { id: 'copied', title: '1 MiB of bytes there and back, copied', arms: features.plain, ...SHORT },
    { id: 'given', title: '1 MiB of bytes there and back, transferred', arms: features.plain, ...SHORT },
    { id: 'sealed', title: '1 MiB of bytes there and back, encrypted', arms: features.encrypted, ...SHORT },
    { id: 'payload', title: 'A payload there and back, by its size', arms: features.payload, ...SHORT, ...CASES },
    { id: 'payload-gate', title: 'A payload through the gate, by its size', arms: features.gate, ...SHORT, ...CASES },
    { id: 'nats', title: 'Calls over NATS', arms: nats, ...NATS },
    { id: 'nats-events', title: 'Events over NATS', arms: nats, ...NATS, ...CASES },
    { id: 'nats-bytes', title: '1 MiB of bytes there and back over NATS', arms: nats, ...NATS },
    { id: 'slow-consumer', title: 'A channel with a slow receiver', arms: lifecycle.slowArms, ...ALONE, share: 20 },
    { id: 'overload', title: 'Twice as many calls as can be answered', arms: features.overload, ...LONG },
    { id: 'cancel', title: 'A call that is cancelled', arms: features.both, ...SHORT },
    { id: 'error', title: 'A call that fails, compared with one that is answered', arms: features.both, ...SHORT },
    // A bus starts, ends and starts.
    {
      id: 'recovery',
      title: 'A crash, and the first answer after it',
      arms: lifecycle.recoveryArms,
      share: 15,
      roundsShare: 0.5,
      warmUpShare: 0.15,
    },
    { id: 'validation', title: 'A schema for the arguments', arms: features.validation, ...SHORT },
    { id: 'authority', title: 'Capabilities and scopes', arms: features.authority, ...SHORT },
    { id: 'logging', title: 'The log', arms: features.logging, ...SHORT },
    { id: 'tracing', title: 'Diagnostics channels', arms: features.tracing, ...SHORT },
    // 0.9 s, 12 rounds: a page receives a few updates in each.
    { id: 'inspector', title: 'The inspector', arms: features.inspector, ...LONG, share: 30, roundsShare: 1 },
    { id: 'fan-out', title: 'More frontends', arms: features.fanOut, ...FLAT },
    { id: 'listeners', title: 'More listeners', arms: features.plain, ...FLAT },
    {
      id: 'sandbox',
      title: 'A call from each sandbox',
      arms: lifecycle.sandboxArms,
      ...SHORT,
      share: 2,
      settleShare: 0.5,
    },
    {
      id: 'sandbox-start',
      title: 'The start of each sandbox',
      arms: lifecycle.sandboxStarts,
      ...CASES,
      share: 5,
      warmUpShare: 0.15,
    },
    { id: 'memory', title: 'The memory of a frontend', arms: lifecycle.memoryArms, ...ALONE, ...CASES, share: 40 },
  ]
  return rows.map(row => ({ rows: 'arms', ...row, about: ABOUT[row.id]!, cases: cases[row.id]! }))
}

/** The scenarios that a run without a filter measures. */
export const mainScenarios = (): Scenario[] => allScenarios().filter(({ main }) => main)

/** @throws Error if no scenario has this id */
export function getScenario(id: string): Scenario {
  const found = allScenarios().find(scenario => scenario.id === id)
  if (!found) throw new Error(`Unknown scenario '${id}'`)
  return found
}

const DOCUMENTS =
  'documents of small parts of the DevTools protocol, as JSON, as msgpack and as bytes of the same length, copied or transferred (`{ transfer }`); of 0 B JSON is `{}`. A frame of JSON or msgpack holds less than 16 MiB, so that such documents go as bytes alone'

/** One sentence about each scenario: the measurement, and the reference. */
const ABOUT: Readonly<Record<string, string>> = {
  noise:
    'greet({ name, n, tags[3] }) by two arms that are the same: as far as they differ, nothing else can be told apart',
  latency:
    'greet({ name, n, tags[3] }) one at a time, with the CPU time of the whole process for each; and coming all the time, at half the rate that the arm was just seen to answer, each timed from when it was due',
  throughput:
    'greet({ name, n, tags[3] }), so many in flight at any time, and the CPU time of the whole process for each',
  isolation:
    'greet({ name, n, tags[3] }) over rings with JSON, one at a time and 64 in flight; each arm adds one thing',
  documents:
    "echo(document), one at a time, plain and encrypted: a greet call, GitHub's webhook events (all published examples of each), the Chrome DevTools protocol; median time there and back",
  events: 'events a second (at most 1024 in flight), every one counted; the reference is one postMessage for each',
  channel: 'channels of 4096 messages that the sender awaits; the reference posts each message, and waits for none',
  start: 'from createBus to the first reply in the frontend; the reference is one empty Worker',
  codec:
    "a message written and read again in one thread, time for each message; the reference is V8's structured clone",
  'one-thread':
    "greet({ name, n, tags[3] }), 64 in flight, client and core in one thread with a port between them: the bus's own code, without what threads add",
  sparse: 'the same call after a pause of 4 ms, in which threads fall asleep and code leaves the caches',
  idle: 'each alone in a process of its own, after some calls: CPU time while nothing is sent, in % of a core, and memory',
  busy: 'the same calls next to a process that occupies a core; the benchmark starts it, and ends it',
  io: 'the handler reads a file of 1 KiB and answers with its text, 64 in flight; the reference has the same handler',
  http: "requests from another thread to a server in the host's thread, which calls its bus meanwhile: 8 calls each millisecond (paced), then call after call (restless); the reference does not poll",
  copied: 'bytes that both sides keep; the reference is a raw structured clone',
  given: 'bytes that go with `{ transfer }`, and come back with `transfer()`; the reference transfers an ArrayBuffer',
  sealed: 'through the gate; the reference encrypts and decrypts the same bytes in one thread, and sends nothing',
  payload: `echo(document), one at a time: ${DOCUMENTS}`,
  'payload-gate': `the same, through the checking hook, and encrypted in all arms but one: ${DOCUMENTS}`,
  nats: "greet({ name, n, tags[3] }) between two threads that meet over a NATS server on this machine, one at a time and 64 in flight, and over a ring; the reference is NATS's own request and reply",
  'nats-events':
    'events a second (at most 1024 in flight), every one counted; the reference is one NATS message for each',
  'nats-bytes': "as much as a NATS message may hold; the reference is NATS's own request and reply",
  'slow-consumer':
    '16 384 messages of 1 KiB to a receiver that pauses for 1 ms after each 16: how many wait at most between sender and receiver, by how much memory grows, and which part of its time the sender waits; the reference posts each message',
  overload:
    'calls of 20 µs of work in core, offered at twice the rate that the arm was just seen to answer, each timed from when it was due; by default a client lets 65 536 calls wait, and with a window of 256 that rejects it refuses what is more',
  cancel:
    "from `abort()` until the call has rejected, and until its handler's signal aborts; the reference rejects by itself, and posts a message that aborts a controller",
  error: 'a handler that throws, and one that returns; the reference posts the message of the error',
  recovery:
    'core crashes, and a frontend asks until it is answered; a frontend crashes, and its module makes its first call again. By default the bus waits for 50 to 100 ms before it restarts anything. The reference is a Worker that is replaced when it has exited',
  validation:
    'greet({ name, n, tags[3] }) over a ring, with a schema of its three members that zod or valibot checks in core; the reference checks nothing',
  authority:
    'greet({ name, n, tags[3] }) over a ring, allowed by 1 or 100 capabilities of twenty commands each, and a handler that looks for the name in its scope, which has 100 entries in one arm; the reference has no capability, and all is open',
  logging:
    "greet({ name, n, tags[3] }) over a ring, and the same with a handler that writes a line at level debug and one at info, which core sends to the host's pino; the reference has no log",
  tracing:
    'greet({ name, n, tags[3] }) over a ring, with subscribers that count, to all five channels of the call in core, or on both sides; in the reference nobody listens',
  inspector:
    "greet({ name, n, tags[3] }) over a ring, with the inspector's server open, and with one page that receives four updates a second; the reference has no inspector",
  'fan-out': 'time for each event that arrives, by how many frontends it goes to; every arrival is counted',
  listeners: 'time for each event that arrives, by how many listeners a frontend has, each of an event of its own',
  sandbox:
    'greet({ name, n, tags[3] }), one at a time and 64 in flight, by the clock of core; the reference has no sandbox',
  'sandbox-start': 'from createBus to the first reply in the frontend; the reference has no sandbox',
  memory:
    'the resident memory that one more frontend takes, of four, in all processes, in each sandbox and with a gate; the reference has neither',
}
