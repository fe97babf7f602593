// The goals of the design's chapter on speed.
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
  isolation-burst    | burst, p50, isolation    | shapes/burst/isolation-ring-json/p50        | raw                             | at most 6×          | raw MessagePort | 28
  isolation-sparse   | sparse, p50, isolation   | shapes/sparse/isolation-ring-json/p50       | raw                             | at most 4×          | raw MessagePort | 28
  isolation-64       | 64 in flight, isolation  | shapes/64/isolation-ring-json/rate          | raw                             | at least 0.45×      | raw MessagePort | 28
  isolation-64-birpc | 64 in flight, isolation  | shapes/64/isolation-ring-json/rate          | birpc                           | at least 0.8×       | birpc           | 28
  isolation-open     | 20 k/s, p50, isolation   | shapes/open-20k/isolation-ring-json/p50     | raw                             | at most 2×          | raw MessagePort | 28
  isolation-open-p99 | 20 k/s, p99, isolation   | shapes/open-20k/isolation-ring-json/p99     | raw                             | at most 10×         | raw MessagePort | 28
  isolation-open-60k | 60 k/s, p50, isolation   | shapes/open-60k/isolation-ring-json/p50     | raw                             | at most 10×         | raw MessagePort | 28
  msgpack-64         | 64 in flight, msgpack    | throughput/64/ring-msgpack/rate             | raw                             | at least 2.5×       | raw MessagePort | 10
  msgpack-64-birpc   | 64 in flight, msgpack    | throughput/64/ring-msgpack/rate             | birpc                           | at least 4.5×       | birpc           | 10
  idle               | idle CPU of an open bus  | idle/idle/ring-json/cpu                     | raw                             | at most 0.05 % more | silent workers  | 6
  bytes-copied       | 1 MiB copied             | mebibyte/copied/ring-json/p50               | raw                             | at most 0.67×       | raw clone       | 19
  bytes-transferred  | 1 MiB transferred, port  | mebibyte/transferred/port-json/p50          | raw                             | at most 1.1×        | raw transfer    | 19
  bytes-encrypted    | 1 MiB through isolation  | mebibyte/copied/isolation-ring-json/p50     | raw                             | at most 2.2×        | raw clone       | 19
  document           | 20 KiB document, echoed  | documents/github-pull-request/ring-json/p50 | text                            | at most 1.35×       | JSON-RPC text   | 10
  channel            | messages of a channel    | channel/channel/ring-json/rate              | raw                             | at least 2.5×       | raw postMessage | 14
  isolation-events   | events out, isolation    | events/out/isolation-ring-json/rate         | raw                             | at least 0.6×       | raw postMessage | 19
  nats-p50           | over NATS, one call, p50 | nats/1/nats-json/p50                        | nats                            | at most 1.3×        | NATS's request  | 25
  nats-bytes         | over NATS, 1 MiB         | nats/mebibyte/nats-json/p50                 | nats                            | at most 2×          | NATS's request  | 25
  flat-in-flight     | 512 calls in flight      | throughput/512/ring-json/rate               | throughput/64/ring-json/rate    | at least 0.8×       | of 64           | 11
  density-memory     | 50 permission, memory    | density/50/permission/pss                   | worker                          | at most 1.35×       | raw Workers     | 8
  density-cpu        | 50 permission, CPU       | density/50/permission/cpu                   | worker                          | at most 2×          | raw Workers     | 8
  shared-memory      | 50, shared gate, memory  | density/50/permission-shared/pss            | worker                          | at most 1.5×        | raw Workers     | 8
  shared-cpu         | 50, shared gate, CPU     | density/50/permission-shared/cpu            | worker                          | at most 2.5×        | raw Workers     | 8
  process-memory     | 50 processes, memory     | density-processes/50/process/pss            | fork                            | at most 1.5×        | raw forks       | 8
  process-cpu        | 50 processes, CPU        | density-processes/50/process/cpu            | fork                            | at most 1.6×        | raw forks       | 8
  wall-start         | start, process in a wall | plugin/one/process-wall/ready               | fork                            | at most 1.25×       | raw fork        | 35
  wall-memory        | its memory               | plugin/one/process-wall/pss                 | fork                            | at most 1.8×        | raw fork        | 35
  wall-next          | memory of each next      | plugin/one/process-wall/next                | fork                            | at most 1.35×       | raw fork        | 35
  wall-call          | a call                   | plugin/one/process-wall/p50                 | fork                            | at most 1.1×        | raw fork        | 17
  wall-seldom        | each 20 ms, in the wall  | plugin/one/process-wall/seldom              | fork                            | at most 1.8×        | raw fork        | 17
  wall-64            | 64 in flight, the wall   | plugin/one/process-wall/rate                | fork                            | at least 2.3×       | raw fork        | 17
  wall-bytes         | 1 MiB, in the wall       | plugin/one/process-wall/bytes               | fork                            | at most 0.8×        | raw fork        | 17
  wall-end           | end of a loop, the wall  | plugin/one/process-wall/end                 | fork                            | at most 6×          | raw fork        | 37
  thread-end         | end of a loop, thread    | plugin/one/permission/end                   | fork                            | at most 6×          | raw fork        | 37
  wall-gate-seldom   | each 20 ms, wall, gate   | few-calls/fresh/process-wall-gates/p50      | raw                             | at most 7.2×        | raw MessagePort | 17
  flat-idle          | a call, 49 others idle   | density/50/permission/p50                   | density/1/permission/p50        | at most 1.1×        | of 1            | 8
  flat-idle-process  | the same, processes      | density-processes/50/process/p50            | density-processes/1/process/p50 | at most 1.1×        | of 1            | 8
`)

const COMPARISONS = { '×': 'ratio', '% more': 'difference' } as const

export const GOALS: readonly Goal[] = TABLE.slice(1).map(row => {
  const [id = '', work = '', figure = '', other = '', text = '', reference = '', adr] = row
  const [, bound, number, unit] = /^(at most|at least) ([\d.]+) ?(.+)$/.exec(text)!
  const [scenario, inCase, , kind] = figure.split('/')
  return {
    ...{ id, work, reference, figure, adr: Number(adr) },
    against: other.includes('/') ? other : [scenario, inCase, other, kind].join('/'),
    compare: COMPARISONS[unit as keyof typeof COMPARISONS],
    bound: bound as Goal['bound'],
    goal: Number(number),
  }
})
