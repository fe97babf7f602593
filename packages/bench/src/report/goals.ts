// The goals of the design's chapter on speed, and how flat the cost of a message should stay.
import { readTable } from '../shared/text.js'

export interface Goal {
  id: string
  /** The measured work, in the words of the design. */
  work: string
  /** The reference in the same run. */
  reference: string
  /** `scenario/case/arm/figure` of the work and of its reference. */
  figure: string
  against: string
  /** A `difference` has the figure's unit. */
  compare: 'ratio' | 'difference'
  bound: 'at most' | 'at least'
  goal: number
  /** Shown, but neither met nor missed: three threads on two cores. */
  onlyReported?: true
}

/**
 * One goal a line. `against` is another arm in the same figure, or the path of another figure. A goal with a sign is a
 * difference; one in parentheses is only reported.
 */
const TABLE = readTable(`
  id                          | work                         | figure                                  | against         | goal    | reference
  sequential-ring             | one call, p50, ring          | latency/1/ring-json/p50                 | raw             | ≤ 0.07  | raw MessagePort
  sequential-port             | one call, p50, port          | latency/1/port-json/p50                 | raw             | ≤ 1.15  | raw MessagePort
  pipelined-json              | 64 in flight, JSON           | throughput/64/ring-json/rate            | raw             | ≥ 1.8   | raw MessagePort
  pipelined-json-birpc        | 64 in flight, JSON           | throughput/64/ring-json/rate            | birpc           | ≥ 4     | birpc
  pipelined-msgpack           | 64 in flight, msgpack        | throughput/64/ring-msgpack/rate         | raw             | ≥ 3     | raw MessagePort
  sparse                      | one call each 4 ms, p50      | sparse/4ms/ring-json/p50                | raw             | ≤ 1.2   | raw MessagePort
  idle                        | idle CPU of an open bus      | idle/idle/ring-json/cpu                 | raw             | ≤ +0.05 | silent workers
  io-rate                     | a file of 1 KiB awaited, /s  | io/64/ring-json/rate                    | raw             | ≥ 1     | raw MessagePort
  io-cpu                      | a file of 1 KiB awaited, CPU | io/64/ring-json/cpu                     | raw             | ≤ 1.1   | raw MessagePort
  http-paced                  | HTTP p99, 8 calls each ms    | http/paced/poll-on/p99                  | poll-off        | ≤ 1.1   | poll: false
  http-restless               | HTTP p99, call after call    | http/restless/poll-on/p99               | poll-off        | ≤ 1.1   | poll: false
  busy-p50                    | one core taken, p50          | busy/1/ring-json/p50                    | raw             | ≤ 1.1   | raw MessagePort
  busy-rate                   | one core taken, 64 in flight | busy/64/ring-json/rate                  | raw             | ≥ 1.5   | raw MessagePort
  isolation-pipelined-json    | isolation, 64, JSON          | throughput/64/isolation-ring-json/rate  | ring-json       | ≥ 0.5   | brownfield
  isolation-pipelined-msgpack | isolation, 64, msgpack       | throughput/64/isolation-ring-msgpack/rate | ring-msgpack  | ≥ 0.5   | brownfield
  isolation-pipelined-port    | isolation, 64, port          | throughput/64/isolation-port-json/rate  | port-json       | ≥ 0.5   | brownfield
  isolation-sequential        | isolation, one call, p50     | latency/1/isolation-ring-json/p50       | raw             | (≤ 1.2) | raw MessagePort
  nats-pipelined              | over NATS, 64                | nats/64/nats-json/rate                  | nats            | ≥ 0.87  | plain NATS
  nats-isolation-pipelined    | isolation over NATS, 64      | nats/64/isolation-nats-json/rate        | nats            | ≥ 0.74  | plain NATS
  bytes-copied-ring           | 1 MiB copied, ring           | copied/mebibyte/ring-json/rate          | raw             | ≥ 0.9   | raw clone
  bytes-copied-port           | 1 MiB copied, port           | copied/mebibyte/port-json/rate          | raw             | ≥ 0.9   | raw clone
  bytes-given-away-ring       | 1 MiB transferred, ring       | given/mebibyte/ring-json/rate           | raw             | ≥ 0.8   | raw transfer
  bytes-given-away-port       | 1 MiB transferred, port       | given/mebibyte/port-json/rate           | raw             | ≥ 0.8   | raw transfer
  bytes-sealed-ring           | 1 MiB sealed, ring           | sealed/mebibyte/isolation-ring-json/rate | aes-256-gcm    | ≥ 0.7   | AES-256-GCM
  bytes-sealed-port           | 1 MiB sealed, port           | sealed/mebibyte/isolation-port-json/rate | aes-256-gcm    | ≥ 0.7   | AES-256-GCM
  channel                     | messages of a channel        | channel/channel/ring-json/rate          | raw             | ≥ 2     | raw postMessage
  start-brownfield            | start to first reply         | start/start/ring-json/time              | worker          | ≤ 4     | one empty Worker
  start-isolation             | start, isolation             | start/start/isolation-ring-json/time    | worker          | ≤ 6     | one empty Worker
  flat-in-flight              | a call of 512 in flight      | throughput/512/ring-json/each           | throughput/64/ring-json/each | ≤ 1.25 | of 64
  flat-frontends              | an event to 16 frontends     | fan-out/16/ring-json/each               | fan-out/1/ring-json/each     | ≤ 1.25 | to 1
  flat-listeners              | an event, 10 000 listeners   | listeners/10000/ring-json/each          | listeners/10/ring-json/each  | ≤ 1.25 | 10
`)

type Row = [id: string, work: string, figure: string, against: string, goal: string, reference: string]

export const GOALS: readonly Goal[] = (TABLE.slice(1) as Row[]).map(([id, work, figure, other, goal, reference]) => {
  const [scenario, inCase, , kind] = figure.split('/')
  return {
    id,
    work,
    reference,
    figure,
    against: other.includes('/') ? other : [scenario, inCase, other, kind].join('/'),
    compare: goal.includes('+') ? 'difference' : 'ratio',
    bound: goal.includes('≤') ? 'at most' : 'at least',
    goal: Number(/[\d.]+/.exec(goal)),
    ...(goal.startsWith('(') && { onlyReported: true }),
  }
})
