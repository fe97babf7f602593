// All scenarios, in the order in which they run and are shown.
import * as features from '../arms/features.js'
import { density, fewCallsArms, pluginArms } from '../arms/fresh.js'
import { idleArms } from '../arms/idle.js'
import { mcpArms } from '../arms/mcp.js'
import { natsArms } from '../arms/nats.js'
import { neighboursArms } from '../arms/neighbours.js'
import { networkArms } from '../arms/network.js'
import { scriptsArms } from '../arms/scripts.js'
import { codecArms, oneThreadArms } from '../arms/threads.js'
import { latency, rate, type Case, type FigureKind, type Scenario } from '../model/scenario.js'
import * as payloads from '../payloads/payloads.js'
import { readTable } from '../shared/text.js'

type Payload = payloads.Payload
type Figures = readonly FigureKind[]

const { usualCall } = payloads

const inCase = (
  id: string,
  title: string,
  task: Case['task'],
  figures: Figures,
  payload: Payload = usualCall,
): Case => ({ id, title, task, payload, figures })

const calls = (inFlight: number): Case['task'] => ({ loop: 'calls', inFlight })

const P50 = latency('p50', 'p50')
const P99 = latency('p99', 'p99')
/** Of one call at a time: a thread that polls for it answers several times as fast as one that has to be woken. */
const P50_ALONE: FigureKind = { ...P50, wakes: true }
const CPU = latency('cpu', 'CPU each')
const ROUND_TRIP = latency('p50', 'there and back')
const A_SECOND = rate('rate', 'a second')
const MEMORY: FigureKind = { id: 'rss', title: 'memory', unit: 'B', better: 'lower' }

const callCases = (figures: Figures): Case[] => [
  inCase('1', 'one at a time', calls(1), figures),
  inCase('64', '64 in flight', calls(64), [rate('rate', '64 calls')]),
]

const throughput = (count: number): Case => {
  const figures = [rate('rate', count === 1 ? '1 call' : `${count} calls`), ...(count === 64 ? [CPU] : [])]
  return inCase(String(count), `${count} in flight`, calls(count), figures)
}

const document = (payload: Payload): Case => inCase(payload.id, payload.title, { loop: 'calls' }, [ROUND_TRIP], payload)
const mebibyte = (title: string, loop: 'calls' | 'giving'): Case =>
  inCase(title, title, { loop }, [ROUND_TRIP], payloads.mebibyte())
const codec = (title: string, inFlight: number, payload: Payload = usualCall): Case => {
  const id = inFlight === 1 ? payload.id : `${payload.id}-${inFlight}`
  return inCase(id, title, { loop: 'codec', inFlight }, [latency('each', 'each message')], payload)
}
const oneWay = (id: 'in' | 'out', title: string): Case =>
  inCase(id, title, { loop: `events-${id}` }, [rate('rate', 'events')])

const PSS: FigureKind = { ...MEMORY, id: 'pss' }

/** Most of the time of a measurement is that of the starts. One start alone varies most, and is repeated. */
const densityCase = (size: number): Case => {
  const figures = [PSS, latency('cpu', 'CPU'), latency('ready', 'ready'), latency('p50', 'call')]
  return inCase(String(size), `n = ${size}`, { loop: 'density', size }, figures)
}
const densityCases: Case[] = [
  { ...densityCase(1), share: 80, repeats: 4 },
  { ...densityCase(10), share: 120 },
  { ...densityCase(50), share: 300 },
]
const scriptsCase = densityCase(1000)

/** V8 would not compile the code of so few calls: the warm-up makes many. */
const seldom = (id: 'burst' | 'sparse', title: string, share: number): Case => {
  return { ...inCase(id, title, { loop: id }, [P50]), warmUp: { loop: 'calls', inFlight: 64 }, share, settleShare: 0 }
}

const open = (thousands: number): Case => {
  const task = { loop: 'open', perSecond: 1000 * thousands } as const
  const offered = inCase(`open-${thousands}k`, `${thousands},000/s offered`, task, [P50, P99])
  return { ...offered, share: 1.5, settleShare: 0.5 }
}

/** Each measurement makes them in a fresh process. */
const fewCalls: Figures = [
  latency('ready', 'import to first answer'),
  latency('first', 'first 99 calls, each'),
  latency('next', 'next 900, each'),
  latency('p50', 'each 20 ms, p50'),
  latency('cpu', 'each 20 ms, CPU'),
  latency('rare-p50', 'each 250 ms, p50'),
  latency('rare-cpu', 'each 250 ms, CPU'),
]

const plugin: Figures = [
  latency('ready', 'start to first call'),
  PSS,
  { ...PSS, id: 'next', title: 'each next' },
  { ...latency('p50', 'a call'), wakes: true },
  latency('seldom', 'each 20 ms'),
  rate('rate', '64 in flight'),
  latency('bytes', '1 MiB'),
  latency('end', 'end of a loop'),
]

/** The cases of the A/A check. */
const noise: Case[] = [
  { ...inCase('1', 'one at a time', calls(1), [P50_ALONE]), share: 0.7, settleShare: 0.8, repeats: 8 },
  { ...inCase('64', '64 in flight', calls(64), [rate('rate', '64 calls')]), share: 1, settleShare: 0.5, repeats: 16 },
]

/** The shapes of traffic. */
const shapes = [
  { ...inCase('steady', 'steady', calls(1), [P50_ALONE]), share: 2, settleShare: 0.5 },
  seldom('burst', 'burst', 2.4),
  seldom('sparse', 'sparse', 3),
  { ...inCase('64', '64 in flight', calls(64), [A_SECOND]), share: 1.5, settleShare: 0.7, repeats: 2 },
  open(20),
  open(60),
]

/**
 * Slot, settling time, warm-up and rounds are multiples of the plan's. A ring that slept polls again after 4 ms of calls, and with many in
 * flight after 50 ms: its settling time is longer.
 */
const TABLE = readTable(`
  id                | runs    | rows  | arms in   | slot | settle | warm-up | rounds | title                                      | about
  few-calls         | always  | arms  | processes | 42   | 0      | 0       | 0.25   | Few calls                                  | greet({ name, n, tags[3] }) in a fresh process for each measurement: from before the import to the first answer, the mean of the next 99 calls and of the 900 after them, and one call each 20 and 250 ms with the CPU time of the process and its children; calls each 250 ms need --full
  noise             | always  | arms  | threads   | 1    | 0.4    | 1.4     | 0.5    | Noise: the same thing twice (A/A)          | greet({ name, n, tags[3] }) by two arms that are the same: as far as they differ, nothing else can be told apart
  shapes            | always  | cases | threads   | 3    | 1      | 1.4     | 0.5    | A call, by the shape of the traffic        | greet({ name, n, tags[3] }): one after the other; 40 after 60 ms of silence; one each 4 ms; 64 in flight; and at fixed rates, each timed from when it was due
  latency           | by name | arms  | threads   | 10   | 0.6    | 0.5     | 0.5    | Latency of a call                          | greet({ name, n, tags[3] }) one at a time, with the CPU time of the whole process for each
  throughput        | by name | arms  | threads   | 3    | 2      | 0.5     | 0.5    | Calls per second                           | greet({ name, n, tags[3] }), so many in flight at any time, and the CPU time of the whole process for each
  plugin            | by name | arms  | processes | 180  | 0      | 0       | 0.25   | A plugin                                   | one plugin in a host process of its own, whose library is loaded: from its start to its first call into the host's code; the memory (PSS) that it adds, and each of two later ones; greet({ name, n, tags[3] }) as the host calls it each 20 ms, after 300 calls; greet and 1 MiB of bytes there and back, one at a time, and greet with 64 in flight; and from the decision to end its endless loop until it is gone. The reference is a Worker with a bare MessagePort
  isolation         | always  | arms  | threads   | 1.5  | 0.5    | 0.9     | 0.5    | Cost of isolation for a call               | greet({ name, n, tags[3] }) over rings with JSON, one at a time and 64 in flight; each arm adds one thing
  documents         | always  | cases | threads   | 0.6  | 0      | 0.5     | 0.5    | Documents there and back                   | echo(document), one at a time, plain and encrypted: GitHub's webhook events (all published examples of each), the Chrome DevTools protocol; median time there and back
  events            | always  | cases | threads   | 1.5  | 0      | 0.6     | 0.5    | Events                                     | events a second (at most 1024 in flight), every one counted; the reference is one postMessage for each
  channel           | always  | arms  | threads   | 1.5  | 1      | 0.5     | 0.5    | Messages of a channel, core → frontend     | channels of 4096 messages that the sender awaits; the reference posts each message, and waits for none
  codec             | always  | cases | threads   | 0.5  | 0      | 0.25    | 0.5    | Codecs alone                               | a message written and read again in one thread, time for each message; the reference is V8's structured clone; msgpackr is that library alone, without records and frames
  one-thread        | by name | arms  | threads   | 4    | 0      | 0.4     | 1      | Calls within one thread                    | greet({ name, n, tags[3] }), 64 in flight, client and core in one thread with a port between them: the bus's own code, without what threads add
  idle              | by name | arms  | processes | 25   | 0.33   | 0       | 0.33   | Open, and silent                           | each alone in a process of its own, after some calls: CPU time while nothing is sent, in % of a core, and memory
  mebibyte          | by name | cases | threads   | 5    | 1.2    | 0.2     | 0.5    | 1 MiB of bytes there and back              | bytes that both sides keep, and bytes that go with { transfer } and come back with transfer(); isolation encrypts them; the reference is a raw structured clone, and the transfer of an ArrayBuffer
  nats              | by name | arms  | processes | 10   | 0.6    | 0.3     | 0.5    | Over NATS                                  | greet({ name, n, tags[3] }), one at a time and 64 in flight, and 1 MiB of bytes there and back, between two threads that meet over a NATS server on this machine; the reference is NATS's own request and reply
  mcp               | by name | arms  | processes | 20   | 0      | 0       | 0.25   | An MCP server in a wall                    | the published server-everything over stdio: from the start until its tools are known, and its tool echo, one call at a time; the reference is openMcp without a wall
  scripts           | by name | arms  | processes | 10   | 0      | 0       | 0.5    | Scripts that run once                      | a text from the call to its result, in a bus that has run others: one that returns, one after the other, each 300 ms, and 4 at a time; one that calls the host three times, 4 at a time; and each of 200 calls that one text makes. The reference starts a Worker for each, and the frontend that is open shows what the calls cost without a script
  script-neighbours | by name | cases | processes | 10   | 0      | 0       | 0.5    | A hundred scripts next to one              | a call of each of 100 scripts of one script host, one at a time, while another script of it reaches its limit of time (20 ms) or memory every 200 ms; the reference is a thread
  net               | by name | arms  | processes | 10   | 0      | 0       | 0.5    | A network by a list of hosts               | fetch of 1 KiB from a server on this machine, one at a time and 16 in flight, over connections that are kept alive, in a process whose wall has a list of hosts; the reference is the same in the host
  density           | by name | cases | processes | 80   | 0      | 0       | 0.25   | Many plugins                               | n plugins, each measurement in a host of its own, whose library is loaded: the memory (PSS) and the CPU time that their start adds, when all are idle; the time from the first start until all have called the host; and the p50 of one call at a time while the others idle. The reference is n Workers with bare MessagePorts
  density-quickjs   | by name | cases | processes | 80   | 0      | 0       | 0.25   | Many plugins in quickjs                    | the same figures for scripts in QuickJS; the reference is n Workers with bare MessagePorts
  density-thousand  | by name | cases | processes | 200  | 0      | 0       | 0.1    | A thousand scripts                         | the same figures for 1,000 scripts that are open at once, in one thread and in four walled processes; the reference is the thread
  density-processes | by name | cases | processes | 80   | 0      | 0       | 0.25   | Many plugins in processes                  | the same figures for processes without and with a wall; the reference is n raw forks
`)

/** Reads files, and the versions of the peers. */
export const allScenarios = (): Scenario[] => {
  const all = features.callArms()
  const documents = [...['push', 'pull_request'].map(payloads.githubEvents), payloads.devtoolsProtocol()]
  const idle: Figures = [{ id: 'cpu', title: 'idle CPU', unit: '%', better: 'lower' }, MEMORY]
  const parts: Readonly<Record<string, readonly [Scenario['arms'], readonly Case[]]>> = {
    'few-calls': [fewCallsArms(), [inCase('fresh', 'fresh process', { loop: 'few-calls' }, fewCalls)]],
    noise: [features.noise, noise],
    shapes: [features.shapes(), shapes],
    latency: [all, [inCase('1', 'one at a time', calls(1), [P50_ALONE, P99, CPU])]],
    throughput: [all, [1, 8, 64, 512].map(throughput)],
    plugin: [pluginArms(), [inCase('one', 'a plugin', { loop: 'plugin' }, plugin)]],
    isolation: [features.isolation, callCases([P50_ALONE, P99])],
    documents: [features.documents(), [...documents, payloads.devtoolsBytes()].map(document)],
    events: [features.events, [oneWay('in', 'core → frontend'), oneWay('out', 'frontend → core')]],
    channel: [features.both, [inCase('channel', 'channel', { loop: 'stream' }, [rate('rate', 'messages')])]],
    codec: [
      codecArms(),
      [codec('a call', 1), codec('a call, 64 a frame', 64), codec('DevTools protocol', 1, documents.at(-1))],
    ],
    'one-thread': [oneThreadArms, [inCase('64', '64 in flight', calls(64), [rate('rate', '64 calls'), CPU])]],
    idle: [idleArms(), [inCase('idle', 'idle', { loop: 'idle' }, idle)]],
    mebibyte: [features.both, [mebibyte('copied', 'calls'), mebibyte('transferred', 'giving')]],
    nats: [natsArms(), [...callCases([P50_ALONE]), mebibyte('mebibyte', 'calls')]],
    mcp: [mcpArms, [inCase('everything', 'server-everything', { loop: 'mcp' }, [latency('ready', 'start'), P50])]],
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
    'script-neighbours': [
      neighboursArms,
      [
        inCase('none', 'alone', { loop: 'neighbours' }, [P50, P99]),
        inCase('loop', 'an endless loop', { loop: 'neighbours', unruly: 'loop' }, [P50, P99]),
        inCase('expression', 'a regular expression', { loop: 'neighbours', unruly: 'expression' }, [P50, P99]),
        inCase('memory', 'a full memory', { loop: 'neighbours', unruly: 'memory' }, [P50, P99]),
      ],
    ],
    net: [
      networkArms,
      [
        inCase('1', 'one at a time', { loop: 'fetches', inFlight: 1 }, [P50]),
        inCase('16', '16 in flight', { loop: 'fetches', inFlight: 16 }, [rate('rate', '16 requests')]),
      ],
    ],
    density: [density.threads, densityCases],
    'density-quickjs': [density.quickjs, densityCases],
    'density-thousand': [density.scripts, [scriptsCase]],
    'density-processes': [density.processes, densityCases],
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
