// The cases of each scenario: what is sent, by which loop, and which figures come out.
import { FAN_SIZES } from '../loops/handlers.js'
import { latency, rate, type Case, type FigureKind, type Pace } from '../model/scenario.js'
import * as payloads from '../payloads/payloads.js'

type Payload = payloads.Payload
type Figures = readonly FigureKind[]

const { clockedCall, devtoolsProtocol, failingCall, greet, loggedCall, scopedCall, usualCall, workingCall } = payloads

export const inCase = (
  id: string,
  title: string,
  task: Case['task'],
  figures: Figures,
  payload: Payload = usualCall,
): Case => ({ id, title, task, payload, figures })

export const calls = (inFlight: number): Case['task'] => ({ loop: 'calls', inFlight })

const aside = (figure: FigureKind): FigureKind => ({ ...figure, aside: true })
export const P50: FigureKind = latency('p50', 'p50')
export const P99: FigureKind = latency('p99', 'p99')
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
const mebibyte = (loop: 'calls' | 'giving'): Case =>
  inCase('mebibyte', '1 MiB', { loop }, [ROUND_TRIP, A_SECOND], payloads.mebibyte())
const codec = (id: string, title: string, inFlight: number, payload: Payload): Case =>
  inCase(id, title, { loop: 'codec', inFlight }, [latency('each', 'each message')], payload)

const errors = (name: string, payload: Payload): Case[] => [
  inCase(name, `${name}, one at a time`, calls(1), [latency('p50', `${name}, p50`)], payload),
  inCase(`${name}-64`, `${name}, 64 in flight`, calls(64), [rate('rate', `64 ${name}s`)], payload),
]

const recovery = (crashing: 'core' | 'frontend'): Case =>
  inCase(crashing, crashing, { loop: `recover-${crashing}` }, [latency('time', `${crashing}, first answer`)])

const http = (pace: Pace): Case => {
  const figures = [latency('p99', 'HTTP p99'), latency('p50', 'HTTP p50'), rate('rate', 'its calls')]
  return inCase(pace, pace, { loop: 'http', pace }, figures)
}

/** By the number of frontends or listeners: an event's cost should not grow with it. */
const bySize = (loop: 'fan-out' | 'listeners', unit: string, sizes: readonly number[]): Case[] =>
  sizes.map(size => inCase(String(size), `${size} ${unit}`, { loop, size }, [latency('each', 'an event')]))

const start = [inCase('start', 'start to first reply', { loop: 'start' }, [latency('time', 'first reply')], greet)]
const events = [
  inCase('in', 'core → frontend', { loop: 'events-in' }, [rate('rate', 'events')]),
  inCase('out', 'frontend → core', { loop: 'events-out' }, [rate('rate', 'events')]),
]
const open = [latency('p50', 'open, p50'), latency('p99', 'open, p99'), latency('p999', 'open, p99.9')]

/** Returns the cases by scenario. Reads the documents when it is called. */
export function readCases(): Readonly<Record<string, readonly Case[]>> {
  const github = ['push', 'issues', 'pull_request'].map(payloads.githubEvents)
  const sizes = payloads
    .sizedPayloads()
    .map((payload): Case => ({ ...document(payload), figures: [ROUND_TRIP, aside(A_SECOND)] }))
  return {
    noise: callCases([P50]),
    latency: [
      inCase('1', 'one at a time', calls(1), [P50, P99, CPU]),
      inCase('open', 'open loop, half of its capacity', { loop: 'open' }, [...open, aside(rate('rate', 'offered'))]),
    ],
    throughput: [1, 8, 64, 512].map(throughput),
    isolation: callCases([P50, P99]),
    documents: [greet, ...github, devtoolsProtocol(), payloads.devtoolsBytes()].map(document),
    events,
    channel: [inCase('channel', 'channel', { loop: 'stream' }, [rate('rate', 'messages')])],
    start,
    codec: [
      codec('usual', 'a call', 1, usualCall),
      codec('usual-64', 'a call, 64 a frame', 64, usualCall),
      codec('devtools', 'DevTools protocol', 1, devtoolsProtocol()),
    ],
    'one-thread': [io64()],
    // So few calls would not be compiled within the run.
    sparse: [{ ...inCase('4ms', 'one each 4 ms', { loop: 'sparse' }, [P50, P99]), warmUp: { loop: 'calls' } }],
    idle: [
      inCase('idle', 'idle', { loop: 'idle' }, [{ id: 'cpu', title: 'idle CPU', unit: '%', better: 'lower' }, MEMORY]),
    ],
    busy: callCases([P50]),
    io: [io64(payloads.kibFile())],
    http: [http('paced'), http('restless')],
    copied: [mebibyte('calls')],
    given: [mebibyte('giving')],
    sealed: [mebibyte('calls')],
    payload: sizes,
    'payload-gate': sizes,
    nats: [alone, pipelined('64', '64 in flight')],
    'nats-events': events,
    'nats-bytes': [mebibyte('calls')],
    'slow-consumer': [
      inCase('slow', 'slow', { loop: 'slow-consumer' }, [
        { id: 'depth', title: 'messages waiting', unit: '', better: 'lower' },
        { ...MEMORY, title: 'memory grown' },
        { id: 'waited', title: 'sender waits', unit: '%', better: 'higher' },
      ]),
    ],
    overload: [
      inCase(
        'twice',
        'twice',
        { loop: 'overload' },
        [
          rate('rate', 'answered'),
          { id: 'refused', title: 'refused', unit: '%', better: 'lower' },
          latency('p99', 'answered, p99'),
        ],
        workingCall,
      ),
    ],
    cancel: [
      inCase('cancel', 'cancel', { loop: 'cancel' }, [
        latency('settled', 'rejected'),
        latency('signal', "handler's signal"),
      ]),
    ],
    error: [...errors('answer', usualCall), ...errors('error', failingCall)],
    recovery: [recovery('core'), recovery('frontend')],
    validation: usual,
    authority: [...usual, pipelined('scope-64', '64 with scope', scopedCall)],
    logging: [
      ...usual,
      inCase('lines', 'two lines', calls(1), [latency('p50', 'two lines, p50'), aside(CPU)], loggedCall),
      pipelined('lines-64', '64 of two lines', loggedCall),
    ],
    tracing: usual,
    inspector: usual,
    'fan-out': bySize('fan-out', 'frontends', FAN_SIZES),
    listeners: bySize('listeners', 'listeners', [10, 100, 1000, 10_000]),
    sandbox: callCases([P50, P99], clockedCall),
    'sandbox-start': start,
    memory: [inCase('memory', 'each frontend', { loop: 'memory' }, [MEMORY], greet)],
  }
}
