// All scenarios, in the order in which they run and are shown.
import { formatArms, isolationRingJson, portJson, ringJson, ringMsgpack } from '../arms/bus.js'
import { cipherArms } from '../arms/cipher.js'
import { densityArms, fewCallsArms, pluginArms } from '../arms/fresh.js'
import { scriptsArms } from '../arms/scripts.js'
import { oneThreadArms, peerArms, rawPort } from '../arms/threads.js'
import { latency, NOISE, rate, type Arm, type Arms, type Case, type FigureKind, type Scenario } from './scenario.js'
import { formatCases, toPayloadScenario } from './formats.js'
import * as payloads from './payloads.js'
import { formatBytes, readTable } from '../shared/text.js'
import { loadUserPayloads } from './user-payloads.js'

type Payload = payloads.Payload
type Figures = readonly FigureKind[]

const inCase = (
  id: string,
  title: string,
  task: Case['task'],
  figures: Figures,
  payload: Payload = payloads.usualCall,
): Case => ({ id, title, task, payload, figures })

const calls = (inFlight: number): Case['task'] => ({ loop: 'calls', inFlight })

const P50 = latency('p50', 'p50')
const P99 = latency('p99', 'p99')
/** Of one call at a time: a thread that polls for it answers several times as fast as one that has to be woken. */
const P50_ALONE: FigureKind = { ...P50, wakes: true }
const CPU = latency('cpu', 'CPU each')
const A_SECOND = rate('rate', 'a second')

const throughput = (count: number): Case => {
  const figure = count === 1 ? { ...P50_ALONE, title: 'one call' } : rate('rate', `${count} calls`)
  return inCase(String(count), `${count} in flight`, calls(count), [figure, ...(count === 64 ? [CPU] : [])])
}

/** V8 would not compile the code of so few calls: the warm-up makes many. */
const seldom = (id: 'burst' | 'sparse', title: string, share: number): Case => {
  return { ...inCase(id, title, { loop: id }, [P50]), warmUp: { loop: 'calls', inFlight: 64 }, share, settleShare: 0 }
}

const open = (thousands: number): Case => {
  const task = { loop: 'open', perSecond: 1000 * thousands } as const
  const offered = inCase(`open-${thousands}k`, `${thousands},000/s offered`, task, [P50, P99])
  return { ...offered, share: 0.8, settleShare: 0.5 }
}

/** Each measurement makes them in a fresh process. */
const fewCalls: Figures = [
  latency('ready', 'import to first answer'),
  latency('first', 'first 99 calls, each'),
  latency('next', 'next 900, each'),
  latency('p50', 'each 20 ms, p50'),
  latency('cpu', 'each 20 ms, CPU'),
]

const PSS: FigureKind = { id: 'pss', title: 'memory', unit: 'B', better: 'lower' }

const plugin: Figures = [
  latency('ready', 'start to first call'),
  PSS,
  { ...PSS, id: 'next', title: 'each next' },
  { ...P50_ALONE, title: 'a call' },
  latency('seldom', 'each 20 ms'),
  rate('rate', '64 in flight'),
  latency('bytes', '1 MiB'),
  latency('end', 'end of a loop'),
]

const cipher = (bytes: number): Case =>
  inCase(
    String(bytes),
    formatBytes(bytes),
    { loop: 'cipher' },
    [latency('seal', 'sealing'), latency('open', 'opening')],
    payloads.messageOf(bytes),
  )

const density = (size: number): Case => {
  const figures = [{ ...PSS, title: 'memory each' }, latency('cpu', 'CPU of all'), latency('ready', 'all ready')]
  return inCase(String(size), `n = ${size}`, { loop: 'density', size }, figures)
}

/** The bus over both links, and with a gate. */
const both: Arm[] = [portJson, ringJson, isolationRingJson]

/** The noise check compares an arm `…-again` with the arm of the same name. */
const same: Arms = [ringJson, { ...ringJson, id: 'ring-json-again', title: 'ring JSON, again' }]

/** The cases of the A/A check. */
const noise: Case[] = [
  { ...inCase('1', 'one at a time', calls(1), [P50_ALONE]), share: 0.7, settleShare: 0.8, repeats: 8 },
  { ...inCase('64', '64 in flight', calls(64), [rate('rate', '64 calls')]), share: 1, settleShare: 0.5, repeats: 16 },
]

/** The shapes of traffic. */
const shapes = [
  { ...inCase('steady', 'one after the other', calls(1), [P50_ALONE]), share: 1.4, settleShare: 0.5 },
  seldom('burst', '40 after a silence', 2.4),
  seldom('sparse', 'one each 4 ms', 2.4),
  { ...inCase('64', '64 in flight', calls(64), [A_SECOND]), share: 1.5, settleShare: 0.7, repeats: 2 },
  open(20),
]

/**
 * Slot, settling time, warm-up and rounds are multiples of the plan's. A ring that slept polls again after 4 ms of calls, and with many in
 * flight after 50 ms: its settling time is longer.
 */
const TABLE = readTable(`
  id                | runs    | rows  | arms in   | slot | settle | warm-up | rounds | title                                      | about
  few-calls         | always  | arms  | processes | 42   | 0      | 0       | 0.25   | Few calls                                  | greet({ name, n, tags[3] }) in a fresh process for each measurement: from before the import to the first answer, the mean of the next 99 calls and of the 900 after them, and one call each 20 ms with the CPU time of the process and its children
  noise             | always  | arms  | threads   | 1    | 0.4    | 0.8     | 0.5    | Noise: the same thing twice (A/A)          | greet({ name, n, tags[3] }) by two arms that are the same: as far as they differ, nothing else can be told apart
  formats           | always  | arms  | threads   | 1.5  | 0.5    | 0.5     | 1      | Formats, the hook and encryption           | echo(value) between two threads over a ring, alone and with many in flight (64 calls and documents of 24 KiB, 3 of 692 KiB, 2 MiB of bytes), whose CPU time is that of all threads for one message. A call has { name, n, tags[3], note }; the documents are GitHub's pull_request events and the Chrome DevTools protocol, and as bytes they are their JSON, which no side writes or parses. JSON-RPC sends bytes as base64. The reference is a structured clone over a MessagePort
  cipher            | always  | cases | threads   | 0.8  | 0      | 0.2     | 1      | Sealing and opening alone                  | one message sealed and opened in one thread, without a bus: the CPU time of each; the reference is node:crypto with the same algorithm, AES-256-GCM
  shapes            | always  | cases | threads   | 3    | 1      | 0.5     | 0.75   | A call, by the shape of the traffic        | greet({ name, n, tags[3] }): one after the other; 40 after 60 ms of silence; one each 4 ms; 64 in flight; and at fixed rates, each timed from when it was due
  throughput        | by name | arms  | threads   | 3    | 2      | 0.5     | 0.5    | Calls by other libraries                   | greet({ name, n, tags[3] }), one at a time, and so many in flight at any time, with the CPU time of the whole process for each of 64
  plugin            | by name | arms  | processes | 180  | 0      | 0       | 0.25   | A plugin                                   | one plugin in a host process of its own, whose library is loaded: from its start to its first call into the host's code; the memory (PSS) that it adds, and each of two later ones; greet({ name, n, tags[3] }) as the host calls it each 20 ms, after 300 calls, and as the plugin calls it, one at a time and with 64 in flight; 1 MiB of bytes there and back; and from the decision to end its endless loop until it is gone.  The reference is a Worker with a bare MessagePort
  channel           | by name | arms  | threads   | 1.5  | 1      | 0.5     | 0.5    | Messages of a channel, core → frontend     | channels of 4096 messages that the sender awaits; the reference posts each message, and waits for none
  one-thread        | by name | arms  | threads   | 4    | 0      | 1.6     | 1      | Calls within one thread                    | greet({ name, n, tags[3] }), 64 in flight, client and core in one thread with a port between them: the bus's own code, without what threads add
  scripts           | by name | arms  | processes | 10   | 0      | 0       | 0.5    | Scripts that run once                      | a text from the call to its result, in a bus that has run others: one that returns, one after the other, each 300 ms, and 4 at a time; one that calls the host three times, 4 at a time; and each of 200 calls that one text makes. The reference starts a Worker for each, and the frontend that is open shows what the calls cost without a script
  density           | by name | cases | processes | 240  | 0      | 0       | 0.25   | A thousand scripts                         | 1,000 scripts that start at once, in a host whose library is loaded: the memory (PSS) that each adds when all are idle, and the CPU time and the time until all have called the host; in one thread, the reference, and in four walled processes
`)

/** Reads files, and the versions of the peers. */
export const allScenarios = (): Scenario[] => {
  const parts: Readonly<Record<string, readonly [Scenario['arms'], readonly Case[]]>> = {
    'few-calls': [fewCallsArms, [inCase('fresh', 'fresh process', { loop: 'few-calls' }, fewCalls)]],
    noise: [same, noise],
    shapes: [[rawPort, ...both], shapes],
    throughput: [[rawPort, ...peerArms(), ...both, ringMsgpack], [1, 8, 64, 512].map(throughput)],
    plugin: [pluginArms(), [inCase('one', 'a plugin', { loop: 'plugin' }, plugin)]],
    channel: [[rawPort, ...both], [inCase('channel', 'channel', { loop: 'stream' }, [rate('rate', 'messages')])]],
    formats: [formatArms, formatCases()],
    cipher: [cipherArms, [64, 1024, 16 * 1024, 64 * 1024, 2 ** 20].map(cipher)],
    'one-thread': [oneThreadArms, [inCase('64', '64 in flight', calls(64), [rate('rate', '64 calls'), CPU])]],
    scripts: [
      scriptsArms(),
      [
        inCase('empty', 'empty', { loop: 'scripts' }, [latency('p50', 'empty')]),
        inCase('seldom', 'each 300 ms', { loop: 'scripts', isSparse: true }, [latency('p50', 'each 300 ms')]),
        inCase('4', '4 at a time', { loop: 'scripts', inFlight: 4 }, [rate('rate', '4 empty')]),
        inCase('calls', 'three calls', { loop: 'scripts', inFlight: 4, size: 3 }, [rate('rate', '4 of three calls')]),
        inCase('call', 'each call', { loop: 'scripts', size: 200 }, [latency('call', 'each call')]),
      ],
    ],
    density: [densityArms, [density(1000)]],
  }
  return TABLE.slice(1).map((row): Scenario => {
    const [id, runs, rows, armsIn, slot, settle, warmUp, rounds, title, about] = row as [string, ...string[]]
    const [arms, cases] = parts[id]!
    return {
      ...{ id, title: title!, about: about!, arms, cases, rows: rows as Scenario['rows'] },
      ...{ share: Number(slot), settleShare: Number(settle), warmUpShare: Number(warmUp), roundsShare: Number(rounds) },
      ...(runs === 'always' && { main: true }),
      ...(armsIn === 'processes' && { spawns: true }),
    }
  })
}

/** Returns all scenarios, or the noise check and one for each payload of a file. @throws {UsageError} if there is none */
export async function loadScenarios(payload: string | null): Promise<Scenario[]> {
  if (payload === null) return allScenarios()
  const payloads = await loadUserPayloads(payload)
  return [...allScenarios().filter(({ id }) => id === NOISE), ...payloads.map(toPayloadScenario)]
}
