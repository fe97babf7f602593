// The goals of the design's chapter on speed, and how flat the cost of a message should stay.
import { readTable } from '../shared/text.js'
import type { GoalReport } from './report.js'

export type Goal = Omit<GoalReport, 'measured' | 'interval' | 'outcome'>

const TABLE = readTable(`
  id                 | work                     | figure                                      | other arm, or figure            | goal                | reference       | ADR
  ring-first         | first 99 calls, ring     | few-calls/fresh/ring-json/first             | birpc                           | at most 1.5×        | birpc           | 6
  isolation-first    | first 99, isolation      | few-calls/fresh/isolation-ring-json/first   | birpc                           | at most 4.5×        | birpc           | 8
  ring-rare          | each 20 ms, p50, ring    | few-calls/fresh/ring-json/p50               | raw                             | at most 3×          | raw MessagePort | 6
  ring-rare-cpu      | each 20 ms, CPU, ring    | few-calls/fresh/ring-json/cpu               | raw                             | at most 2.5×        | raw MessagePort | 6
  isolation-rare     | each 20 ms, isolation    | few-calls/fresh/isolation-ring-json/p50     | raw                             | at most 5.5×        | raw MessagePort | 6
  ring-ready         | import to first answer   | few-calls/fresh/ring-json/ready             | raw                             | at most 4.5×        | raw MessagePort | 8
  isolation-ready    | the same, isolation      | few-calls/fresh/isolation-ring-json/ready   | raw                             | at most 6.5×        | raw MessagePort | 8
  ring-steady        | steady, p50, ring        | shapes/steady/ring-json/p50                 | raw                             | at most 0.09×       | raw MessagePort | 6
  ring-burst         | burst, p50, ring         | shapes/burst/ring-json/p50                  | raw                             | at most 1.35×       | raw MessagePort | 6
  ring-sparse        | sparse, p50, ring        | shapes/sparse/ring-json/p50                 | raw                             | at most 1.5×        | raw MessagePort | 6
  ring-64            | 64 in flight, ring       | shapes/64/ring-json/rate                    | raw                             | at least 1.5×       | raw MessagePort | 10
  ring-64-birpc      | 64 in flight, ring       | shapes/64/ring-json/rate                    | birpc                           | at least 2.5×       | birpc           | 10
  ring-open          | 20 k/s, p50, ring        | shapes/open-20k/ring-json/p50               | raw                             | at most 1.15×       | raw MessagePort | 6
  ring-open-p99      | 20 k/s, p99, ring        | shapes/open-20k/ring-json/p99               | raw                             | at most 3×          | raw MessagePort | 6
  port-steady        | steady, p50, port        | shapes/steady/port-json/p50                 | raw                             | at most 1.15×       | raw MessagePort | 6
  port-burst         | burst, p50, port         | shapes/burst/port-json/p50                  | raw                             | at most 1.35×       | raw MessagePort | 6
  port-sparse        | sparse, p50, port        | shapes/sparse/port-json/p50                 | raw                             | at most 1.4×        | raw MessagePort | 6
  port-64            | 64 in flight, port       | shapes/64/port-json/rate                    | raw                             | at least 0.8×       | raw MessagePort | 11
  port-open          | 20 k/s, p50, port        | shapes/open-20k/port-json/p50               | raw                             | at most 1.15×       | raw MessagePort | 6
  port-open-p99      | 20 k/s, p99, port        | shapes/open-20k/port-json/p99               | raw                             | at most 3×          | raw MessagePort | 6
  isolation-steady   | steady, p50, isolation   | shapes/steady/isolation-ring-json/p50       | raw                             | at most 1.1×        | raw MessagePort | 28
  isolation-burst    | burst, p50, isolation    | shapes/burst/isolation-ring-json/p50        | raw                             | at most 6×          | raw MessagePort | 9
  isolation-sparse   | sparse, p50, isolation   | shapes/sparse/isolation-ring-json/p50       | raw                             | at most 4×          | raw MessagePort | 28
  isolation-64       | 64 in flight, isolation  | shapes/64/isolation-ring-json/rate          | raw                             | at least 0.45×      | raw MessagePort | 28
  isolation-64-birpc | 64 in flight, isolation  | shapes/64/isolation-ring-json/rate          | birpc                           | at least 0.8×       | birpc           | 28
  isolation-open     | 20 k/s, p50, isolation   | shapes/open-20k/isolation-ring-json/p50     | raw                             | at most 2×          | raw MessagePort | 28
  isolation-open-p99 | 20 k/s, p99, isolation   | shapes/open-20k/isolation-ring-json/p99     | raw                             | at most 10×         | raw MessagePort | 28
  isolation-open-60k | 60 k/s, p50, isolation   | shapes/open-60k/isolation-ring-json/p50     | raw                             | at most 10×         | raw MessagePort | 28
  msgpack-64         | 64 in flight, msgpack    | throughput/64/ring-msgpack/rate             | raw                             | at least 2.5×       | raw MessagePort | 10
  msgpack-64-birpc   | 64 in flight, msgpack    | throughput/64/ring-msgpack/rate             | birpc                           | at least 4.5×       | birpc           | 10
  idle               | idle CPU of an open bus  | idle/idle/ring-json/cpu                     | raw                             | at most 0.05 % more | silent workers  | 6
  io-rate            | 1 KiB file awaited, /s   | io/64/ring-json/rate                        | raw                             | at least 0.95×      | raw MessagePort | 10
  io-cpu             | 1 KiB file awaited, CPU  | io/64/ring-json/cpu                         | raw                             | at most 1.1×        | raw MessagePort | 10
  busy-p50           | core taken, p50          | busy/1/ring-json/p50                        | raw                             | at most 1.2×        | raw MessagePort | 6
  busy-rate          | core taken, 64 in flight | busy/64/ring-json/rate                      | raw                             | at least 1.5×       | raw MessagePort | 6
  bytes-copied       | 1 MiB copied             | copied/mebibyte/ring-json/rate              | raw                             | at least 1.5×       | raw clone       | 7
  bytes-transferred  | 1 MiB transferred, port  | given/mebibyte/port-json/rate               | raw                             | at least 0.9×       | raw transfer    | 7
  bytes-encrypted    | 1 MiB through isolation  | sealed/mebibyte/isolation-ring-json/rate    | aes-256-gcm                     | at least 0.6×       | AES-256-GCM     | 7
  document           | 20 KiB document, echoed  | documents/github-pull-request/ring-json/p50 | text                            | at most 1.35×       | JSON-RPC text   | 10
  channel            | messages of a channel    | channel/channel/ring-json/rate              | raw                             | at least 2.5×       | raw postMessage | 14
  isolation-events   | events out, isolation    | events/out/isolation-ring-json/rate         | raw                             | at least 0.6×       | raw postMessage | 19
  start-brownfield   | start to first reply     | start/start/ring-json/time                  | worker                          | at most 3.5×        | empty Worker    | 8
  start-isolation    | start, isolation         | start/start/isolation-ring-json/time        | worker                          | at most 5.5×        | empty Worker    | 8
  nats-p50           | over NATS, one call, p50 | nats/1/nats-json/p50                        | nats                            | at most 1.3×        | NATS's request  | 25
  nats-bytes         | over NATS, 1 MiB         | nats/mebibyte/nats-json/p50                 | nats                            | at most 2×          | NATS's request  | 25
  web-p50            | web page, one call, p50  | web/1/web-json/p50                          | ws                              | at most 1.25×       | bare ws         | 32
  web-worker-p50     | web page, core in worker | web/1/web-worker/p50                        | ws                              | at most 2×          | bare ws         | 32
  web-64             | web page, 64 in flight   | web/64/web-json/rate                        | ws                              | at least 0.8×       | bare ws         | 32
  web-bytes          | web page, 1 MiB          | web/mebibyte/web-json/p50                   | ws                              | at most 1.5×        | bare ws         | 32
  web-memory         | an idle page, memory     | web-pages/memory/web-json/rss               | ws                              | at most 30 KiB      | none            | 32
  flat-in-flight     | a call of 512 in flight  | throughput/512/ring-json/each               | throughput/64/ring-json/each    | at most 1.25×       | of 64           | 11
  flat-frontends     | an event to 16 frontends | fan-out/16/ring-json/each                   | fan-out/1/ring-json/each        | at most 1.25×       | to 1            | 19
  flat-listeners     | one of 4,000 listeners   | listeners/4000/ring-json/each               | listeners/10/ring-json/each     | at most 1.25×       | 10              | 19
  density-memory     | 50 permission, memory    | density/50/permission/pss                   | worker                          | at most 1.35×       | empty Workers   | 8
  density-cpu        | 50 permission, CPU       | density/50/permission/cpu                   | worker                          | at most 2×          | empty Workers   | 8
  shared-memory      | 50, shared gate, memory  | density/50/permission-shared/pss            | worker                          | at most 1.5×        | empty Workers   | 8
  shared-cpu         | 50, shared gate, CPU     | density/50/permission-shared/cpu            | worker                          | at most 2.5×        | empty Workers   | 8
  group-memory       | 50, SES group, memory    | density-ses/50/ses-group/pss                | worker                          | at most 0.15×       | empty Workers   | 8
  group-cpu          | 50, SES group, CPU       | density-ses/50/ses-group/cpu                | worker                          | at most 0.5×        | empty Workers   | 8
  process-memory     | 50 processes, memory     | density-processes/50/process/pss            | fork                            | at most 1.5×        | empty forks     | 8
  process-cpu        | 50 processes, CPU        | density-processes/50/process/cpu            | fork                            | at most 1.6×        | empty forks     | 8
  wall-start         | start, process in a wall | density-wall/1/process-wall/time            | fork                            | at most 1.6×        | empty fork      | 8
  flat-idle          | a call, 49 others idle   | density/50/permission/p50                   | density/1/permission/p50        | at most 1.1×        | of 1            | 8
  flat-idle-process  | the same, processes      | density-processes/50/process/p50            | density-processes/1/process/p50 | at most 1.1×        | of 1            | 8
`)

const COMPARISONS = { '×': 'ratio', '% more': 'difference', KiB: 'bytes' } as const

export const GOALS: readonly Goal[] = TABLE.slice(1).map(row => {
  const [id, work, figure, other, text, reference, adr] = row as [
    string,
    string,
    string,
    string,
    string,
    string,
    string,
  ]
  const [, bound, number, unit] = /^(at most|at least) ([\d.]+) ?(.+)$/.exec(text)!
  const [scenario, inCase, , kind] = figure.split('/')
  return {
    ...{ id, work, reference, figure, adr: Number(adr) },
    against: other.includes('/') ? other : [scenario, inCase, other, kind].join('/'),
    compare: COMPARISONS[unit as keyof typeof COMPARISONS],
    bound: bound as Goal['bound'],
    goal: Number(number) * (unit === 'KiB' ? 1024 : 1),
  }
})
