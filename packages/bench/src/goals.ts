// The goals, one for each row of the second table of the design's chapter on speed, and how flat the cost of a message should
// stay. Plain data: which figure is compared with which, and what the comparison should give.

export interface Goal {
  id: string
  /** What is done, in the words of the design. */
  work: string
  /** What it is compared with, in the same run. */
  reference: string
  /** `scenario/case/arm/figure`, of what is measured and of its reference. */
  figure: string
  against: string
  /** Of a `difference` the unit is the figure's. */
  compare: 'ratio' | 'difference'
  bound: 'at most' | 'at least'
  goal: number
  /** Shown, and neither met nor missed: three threads on two cores. */
  onlyReported?: true
}

type Comparison = Pick<Goal, 'reference' | 'figure' | 'against' | 'compare' | 'bound' | 'goal'>

/** `arm` against `other` in one figure of one case: `at most` for times, `at least` for rates. */
function compare(
  inCase: string,
  figure: string,
  [arm, other]: readonly [string, string],
  bound: Goal['bound'],
  goal: number,
  reference = 'raw MessagePort',
): Comparison {
  const [of, against] = [arm, other].map(id => `${inCase}/${id}/${figure}`) as [string, string]
  return { reference, figure: of, against, compare: 'ratio', bound, goal }
}

/** The last case of a scenario against the first, for one arm. */
const flat = (scenario: string, [last, first]: readonly [string, string], reference: string): Comparison => ({
  ...compare(scenario, 'each', ['ring-json', 'ring-json'], 'at most', 1.25, reference),
  figure: `${scenario}/${last}/ring-json/each`,
  against: `${scenario}/${first}/ring-json/each`,
})

/** A MiB there and back, over either link. */
const bytesGoals = (
  how: string,
  inCase: string,
  other: string,
  reference: string,
  goal: number,
  pattern: '' | 'isolation-' = '',
): Goal[] =>
  ['ring', 'port'].map(link => ({
    id: `bytes-${how.replace(' ', '-')}-${link}`,
    work: `1 MiB ${how}, ${link}`,
    ...compare(inCase, 'rate', [`${pattern}${link}-json`, other], 'at least', goal, reference),
  }))

const RING = ['ring-json', 'raw'] as const
const PORT = ['port-json', 'raw'] as const

export const GOALS: readonly Goal[] = [
  { id: 'sequential-ring', work: 'one call, p50, ring', ...compare('latency/1', 'p50', RING, 'at most', 0.07) },
  { id: 'sequential-port', work: 'one call, p50, port', ...compare('latency/1', 'p50', PORT, 'at most', 1.15) },
  { id: 'pipelined-json', work: '64 in flight, JSON', ...compare('throughput/64', 'rate', RING, 'at least', 1.8) },
  {
    id: 'pipelined-json-birpc',
    work: '64 in flight, JSON',
    ...compare('throughput/64', 'rate', ['ring-json', 'birpc'], 'at least', 4, 'birpc'),
  },
  {
    id: 'pipelined-msgpack',
    work: '64 in flight, msgpack',
    ...compare('throughput/64', 'rate', ['ring-msgpack', 'raw'], 'at least', 3),
  },
  { id: 'sparse', work: 'one call each 4 ms, p50', ...compare('sparse/4ms', 'p50', RING, 'at most', 1.2) },
  {
    id: 'idle',
    work: 'idle CPU of an open bus',
    ...compare('idle/idle', 'cpu', RING, 'at most', 0.05, 'silent workers'),
    compare: 'difference',
  },
  { id: 'io-rate', work: 'a file of 1 KiB awaited, /s', ...compare('io/64', 'rate', RING, 'at least', 1) },
  { id: 'io-cpu', work: 'a file of 1 KiB awaited, CPU', ...compare('io/64', 'cpu', RING, 'at most', 1.1) },
  {
    id: 'http-paced',
    work: 'HTTP p99, 8 calls each ms',
    ...compare('http/paced', 'p99', ['poll-on', 'poll-off'], 'at most', 1.1, 'poll: false'),
  },
  {
    id: 'http-restless',
    work: 'HTTP p99, call after call',
    ...compare('http/restless', 'p99', ['poll-on', 'poll-off'], 'at most', 1.1, 'poll: false'),
  },
  { id: 'busy-p50', work: 'one core taken, p50', ...compare('busy/1', 'p50', RING, 'at most', 1.1) },
  { id: 'busy-rate', work: 'one core taken, 64 in flight', ...compare('busy/64', 'rate', RING, 'at least', 1.5) },
  {
    id: 'isolation-pipelined-json',
    work: 'isolation, 64, JSON',
    ...compare('throughput/64', 'rate', ['isolation-ring-json', 'ring-json'], 'at least', 0.5, 'brownfield'),
  },
  {
    id: 'isolation-pipelined-msgpack',
    work: 'isolation, 64, msgpack',
    ...compare('throughput/64', 'rate', ['isolation-ring-msgpack', 'ring-msgpack'], 'at least', 0.5, 'brownfield'),
  },
  {
    id: 'isolation-pipelined-port',
    work: 'isolation, 64, port',
    ...compare('throughput/64', 'rate', ['isolation-port-json', 'port-json'], 'at least', 0.5, 'brownfield'),
  },
  {
    id: 'isolation-sequential',
    work: 'isolation, one call, p50',
    ...compare('latency/1', 'p50', ['isolation-ring-json', 'raw'], 'at most', 1.2),
    onlyReported: true,
  },
  {
    id: 'nats-pipelined',
    work: 'over NATS, 64',
    ...compare('nats/64', 'rate', ['nats-json', 'nats'], 'at least', 0.87, 'plain NATS'),
  },
  {
    id: 'nats-isolation-pipelined',
    work: 'isolation over NATS, 64',
    ...compare('nats/64', 'rate', ['isolation-nats-json', 'nats'], 'at least', 0.74, 'plain NATS'),
  },
  ...bytesGoals('copied', 'copied/mebibyte', 'raw', 'raw clone', 0.9),
  ...bytesGoals('given away', 'given/mebibyte', 'raw', 'raw transfer', 0.8),
  ...bytesGoals('sealed', 'sealed/mebibyte', 'aes-256-gcm', 'AES-256-GCM', 0.7, 'isolation-'),
  {
    id: 'channel',
    work: 'messages of a channel',
    ...compare('channel/channel', 'rate', RING, 'at least', 2, 'raw postMessage'),
  },
  {
    id: 'start-brownfield',
    work: 'start to first reply',
    ...compare('start/start', 'time', ['ring-json', 'worker'], 'at most', 4, 'one empty Worker'),
  },
  {
    id: 'start-isolation',
    work: 'start, isolation',
    ...compare('start/start', 'time', ['isolation-ring-json', 'worker'], 'at most', 6, 'one empty Worker'),
  },
  { id: 'flat-in-flight', work: 'a call of 512 in flight', ...flat('throughput', ['512', '64'], 'of 64') },
  { id: 'flat-frontends', work: 'an event to 16 frontends', ...flat('fan-out', ['16', '1'], 'to 1') },
  { id: 'flat-listeners', work: 'an event, 10 000 listeners', ...flat('listeners', ['10000', '10'], '10') },
]
