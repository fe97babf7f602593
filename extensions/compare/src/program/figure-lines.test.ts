import { describe, expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { UsageError } from '@sallyport/protocol/internal/command-line'
import { readFigures } from './figure-lines.js'

const time = { unit: 'µs', better: 'lower' }

describe('lines of text', () => {
  test('with a name, a number and a unit are figures', () =>
    rows([
      ['parse 12.5 ms', { name: 'parse', value: 12_500, ...time }],
      ['parse large file: 1,234 us', { name: 'parse large file', value: 1234, ...time }],
      ['  write = 3e2 ns', { name: 'write', value: 0.3, ...time }],
      ['start 2s', { name: 'start', value: 2_000_000, ...time }],
      ['requests 12000 ops/s', { name: 'requests', value: 12_000, unit: 'ops/s', better: 'higher' }],
      ['read 2 MiB/s', { name: 'read', value: 2 ** 21, unit: 'B/s', better: 'higher' }],
      [
        'encode x 1,234 ops/sec ±0.45% (93 runs sampled)',
        { name: 'encode', value: 1234, unit: 'ops/s', better: 'higher' },
      ],
      ['\u001b[31mquick*100000\u001b[39m: 1.5s', { name: 'quick*100000', value: 1_500_000, ...time }],
      ['heap 3 kB', { name: 'heap', value: 3000, unit: 'B', better: 'lower' }],
    ])((line, figure) => expect(readFigures(line)).toEqual([{ ...figure, value: expect.closeTo(figure.value) }])))

  test('of other kinds are none', () =>
    rows([
      '',
      'Node v20 started 3 workers',
      'done in 5',
      'throughput-bench 1.2.3',
      'warming up ...',
      '12 ms',
      '{ broken',
      '2026-01-02 03:04 start',
    ])(line => expect(readFigures(line)).toEqual([])))
})

describe('lines of JSON', () => {
  test('have a name, a value, and any unit', () => {
    const lines = ['{"name":"parse","value":2,"unit":"ms"}', '{"name":"cycles","value":7}', 'noise']
    expect(readFigures(lines.join('\n'))).toEqual([
      { name: 'parse', value: 2000, ...time },
      { name: 'cycles', value: 7, unit: '', better: 'lower' },
    ])
  })

  test('can say that higher is better', () => {
    expect(readFigures('{"name":"score","value":7,"better":"higher"}')).toMatchObject([{ better: 'higher' }])
  })

  test('without a name or a number are ignored', () => {
    expect(readFigures('{"value":7}\n{"name":"a","value":"7"}\n{"level":"info"}')).toEqual([])
  })
})

test('a unit that objects inherit is no unit of time or size', () => {
  expect(readFigures('value 1 constructor')).toEqual([])
  expect(readFigures('{ "name": "value", "value": 1, "unit": "constructor" }')).toMatchObject([{ value: 1 }])
})

test('a name that is printed several times has several figures', () => {
  expect(readFigures('parse 1 ms\nparse 2 ms\n').map(({ value }) => value)).toEqual([1000, 2000])
})

const rate = (name: string, value: number) => ({ name, value, better: 'higher' })

test('a rate is never read as a time or a size, by its unit or its name', () =>
  rows([
    ['Transfer/sec: 2.1MB', { ...rate('Transfer/sec', 2_100_000), unit: 'B/s' }],
    ['Requests/sec:  34066.17', rate('Requests/sec', 34_066.17)],
    ['calls per second: 1,234', rate('calls per second', 1234)],
    ['Throughput (req/s): 18000', rate('Throughput (req/s)', 18_000)],
    ['Requests per second:    1239.73 [#/sec] (mean)', rate('Requests per second', 1239.73)],
    ['encode 12 ops/ms', { ...rate('encode', 12_000), unit: 'ops/s' }],
    ['encode 600 calls/min', { ...rate('encode', 10), unit: 'calls/s' }],
    ['encode 900 rps', rate('encode', 900)],
    ['copy 2 MB per second', { ...rate('copy', 2_000_000), unit: 'B/s' }],
    ['render fps: 60', rate('render fps', 60)],
    ['{"name":"throughput","value":7,"unit":"MB"}', rate('throughput', 7_000_000)],
    ['{"name":"a","value":7,"unit":"calls per second"}', rate('a', 7)],
    ['{"name":"requestsPerSec","value":7}', rate('requestsPerSec', 7)],
    ['{"name":"disk","value":7,"unit":"iops"}', rate('disk', 7)],
    ['Throughput small: 12 MB', { ...rate('Throughput small', 12_000_000), unit: 'B/s' }],
    ['Transfer/sec (avg): 2 MB', { ...rate('Transfer/sec (avg)', 2_000_000), unit: 'B/s' }],
    ['{"name":"server_rps","value":7}', rate('server_rps', 7)],
    ['{"name":"encode","value":7,"unit":"Mops"}', rate('encode', 7)],
    // Of a route, and of helpers.
    ['GET /s: 12 ms', { name: 'GET /s', value: 12_000, ...time }],
    ['helpers: 12 kB', { name: 'helpers', value: 12_000, unit: 'B', better: 'lower' }],
    ['parse 12 ms/op', { name: 'parse', value: 12_000, ...time }],
    ['parse 3 kB/op', { name: 'parse', value: 3000, unit: 'B', better: 'lower' }],
  ])((line, figure) => expect(readFigures(line)).toMatchObject([figure])))

test('a line of several values is judged by the typical one, or not at all', () =>
  rows([
    ['http_req_duration....: avg=5.2ms min=1ms med=4.5ms max=9ms p(90)=7ms p(95)=8ms', [['http_req_duration', 4500]]],
    ['parse: mean 5 ms', [['parse: mean', 5000]]],
    ['parse: min=1ms, mean=5ms, max=9ms', [['parse', 5000]]],
    ['parse: min=1ms, max=9ms', []],
    ['parse min: 1 ms, max: 9 ms', []],
    ['parse 1 ms … 9 ms', []],
    ['  (276.68 ns … 5.62 µs)   4.20 µs', []],
    ['fast 831.39 ns   1.27 µs', []],
    ['parse: 2m 3s', []],
    ['Reqs/sec     17000.10    1234.5   20000.0', []],
    ['Throughput: 93%', []],
    ["    'Throughput med (ops/s)': '25000000 ± 0 ',", []],
    // More can be more work done.
    ['Total data: 2.1 MiB', []],
    ['     99%    4.95ms', []],
    ['    Latency   291.85us    0.94ms  12.90ms   93.19%', []],
    ['71522 requests in 2.10s, 8.66MB read', []],
    // The margin of error is no value.
    ['parse 12.5 ± 0.3 ms', [['parse', 12_500]]],
    ['parse 12.5 ms +/- 0.3 ms', [['parse', 12_500]]],
    // A value is part of the name.
    ['read 64 KB 2 ms', [['read 64 KB', 2000]]],
    ['sleep 5 ms: 6 ms', [['sleep 5 ms', 6000]]],
  ])((line, figures) => expect(readFigures(line).map(({ name, value }) => [name, value])).toEqual(figures)))

test('numbers of other locales are refused', () =>
  rows(['12,5', '1,25', '1.234,5', '0,123', '1234,567', '1,2345', '1.234.567', '1\u00a0234', '1\u202f234,5', "1'234"])(
    number => {
      expect(() => readFigures(`loaded\nparse ${number} ms`)).toThrow(UsageError)
      expect(() => readFigures(`parse ${number} ms`)).toThrow(`'${number}' has a decimal comma`)
    },
  ))

/** What tools print, cut to what matters. */
const OUTPUTS: Record<string, [output: string, figures: [name: string, value: number, better: string][]]> = {
  'go test -bench': [
    `goos: linux
pkg: example/a
BenchmarkFast-8   \t 1000000\t      1234 ns/op\t 829.41 MB/s\t     512 B/op\t       7 allocs/op
PASS
ok  \texample/a\t2.801s
pkg: example/b
BenchmarkSlow/64-8  \t    5000\t    240.5 ns/op
ok  \texample/b\t1.4s`,
    [
      ['example/a > BenchmarkFast-8', 1.234, 'lower'],
      ['example/b > BenchmarkSlow/64-8', 0.2405, 'lower'],
    ],
  ],
  wrk: [
    `    Latency   291.85us    0.94ms  12.90ms   93.19%
    Req/Sec    34.34k    13.41k   46.10k    80.95%
  71522 requests in 2.10s, 8.66MB read
Requests/sec:  34066.17
Transfer/sec:      4.13MB`,
    [
      ['Requests/sec', 34_066.17, 'higher'],
      ['Transfer/sec', 4_130_000, 'higher'],
    ],
  ],
  k6: [
    `     data_received..................: 24 MB   1.2 MB/s
     http_req_failed................: 0.00%   0 out of 4000
     http_reqs......................: 4000    198.5/s
     iteration_duration.............: avg=51.2ms min=50.1ms med=50.9ms max=80.3ms p(90)=52ms p(95)=53ms
     vus............................: 10      min=10 max=10`,
    [
      ['data_received', 1_200_000, 'higher'],
      ['http_reqs', 198.5, 'higher'],
      ['iteration_duration', 50_900, 'lower'],
    ],
  ],
  autocannon: [
    `┌─────────┬──────┬──────┬───────┬──────┬─────────┬─────────┬───────┐
│ Stat    │ 2.5% │ 50%  │ 97.5% │ 99%  │ Avg     │ Stdev   │ Max   │
├─────────┼──────┼──────┼───────┼──────┼─────────┼─────────┼───────┤
│ Latency │ 0 ms │ 0 ms │ 0 ms  │ 0 ms │ 0.03 ms │ 0.34 ms │ 25 ms │
└─────────┴──────┴──────┴───────┴──────┴─────────┴─────────┴───────┘
┌───────────┬─────────┬─────────┬─────────┬─────────┬─────────┬────────┬─────────┐
│ Stat      │ 1%      │ 2.5%    │ 50%     │ 97.5%   │ Avg     │ Stdev  │ Min     │
├───────────┼─────────┼─────────┼─────────┼─────────┼─────────┼────────┼─────────┤
│ Req/Sec   │ 18,495  │ 18,495  │ 18,495  │ 26,399  │ 22,440  │ 3,952  │ 18,493  │
├───────────┼─────────┼─────────┼─────────┼─────────┼─────────┼────────┼─────────┤
│ Bytes/Sec │ 2.35 MB │ 2.35 MB │ 2.35 MB │ 3.35 MB │ 2.85 MB │ 502 kB │ 2.35 MB │
└───────────┴─────────┴─────────┴─────────┴─────────┴─────────┴────────┴─────────┘
45k requests in 2.01s, 5.7 MB read`,
    [
      ['Req/Sec', 22_440, 'higher'],
      ['Bytes/Sec', 2_850_000, 'higher'],
    ],
  ],
  'autocannon, JSON': [
    '{"url":"http://127.0.0.1:3000","connections":5,"latency":{"average":0.21},"requests":{"average":15178,"mean":15178,"p50":12623}}',
    [['http://127.0.0.1:3000', 15_178, 'higher']],
  ],
  cronometro: [
    `║ Slower tests │ Samples │           Result │ Tolerance ║
╟──────────────┼─────────┼──────────────────┼───────────╢
║ multiple     │     200 │  21511.91 op/sec │ ± 87.42 % ║
║ Fastest test │ Samples │           Result │ Tolerance ║
║ single       │     200 │ 181550.64 op/sec │ ±  7.44 % ║`,
    [
      ['multiple', 21_511.91, 'higher'],
      ['single', 181_550.64, 'higher'],
    ],
  ],
  hyperfine: [
    `Benchmark 1: sleep 0.02
  Time (mean ± σ):      21.3 ms ±   1.1 ms    [User: 0.8 ms, System: 0.7 ms]
  Range (min … max):    20.4 ms …  22.6 ms    3 runs`,
    [['sleep 0.02 > Time (mean ± σ)', 21_300, 'lower']],
  ],
  'hyperfine, JSON': [
    `Benchmark 1: sleep 0.02
  Time (mean ± σ):      21.3 ms ±   1.1 ms    [User: 0.8 ms, System: 0.7 ms]
{
  "results": [
    {
      "command": "sleep 0.02",
      "mean": 0.0699,
      "median": 0.0619,
      "min": 0.028,
      "times": [
        0.12
      ]
    }
  ]
}`,
    [['sleep 0.02', 61_900, 'lower']],
  ],
  mitata: [
    `clk: ~1.54 GHz

benchmark                   avg (min … max) p75 / p99    (min … top 1%)
------------------------------------------- -------------------------------
fast                         563.53 ns/iter 708.10 ns █
                      (275.24 ns … 3.12 µs)   2.30 µs █
                    (  0.13  b …  79.66  b)   0.45  b █▂▁▂▂▂▂▂▂▁▅▁▁▁▁▁▁▁▁▁▂
tiny                         297.72 ps/iter  75.93 ps █
• g
fast                           1.27 µs/iter 204.85 ns █
                      (120.72 ns … 6.01 µs)   2.17 µs`,
    [
      ['fast', 0.563_53, 'lower'],
      ['tiny', 0.000_297_72, 'lower'],
      ['g > fast', 1.27, 'lower'],
    ],
  ],
  'mitata, JSON': [
    '{"layout":[{"name":null},{"name":"g"}],"benchmarks":[{"alias":"fast","group":0,"runs":[{"stats":{"min":279,"p50":294,"p99":2897,"avg":716},"name":"fast"}]},{"alias":"in $n","group":1,"runs":[{"stats":{"p50":146},"name":"in 10"}]}],"context":{"noop":{"fn":{"p50":0.07}}}}',
    [
      ['fast', 0.294, 'lower'],
      ['g > in 10', 0.146, 'lower'],
    ],
  ],
  Vitest: [
    ` ✓ a.bench.ts > sort 675ms
     name               hz     min     max    mean     p75     p99    p995    p999      rme  samples
   · normal   3,922,971.76  0.0001  5.6692  0.0003  0.0001  0.0004  0.0005  0.0009  ±31.27%   196149

  normal - a.bench.ts > sort`,
    [['a.bench.ts > sort > normal', 3_922_971.76, 'higher']],
  ],
  'Vitest, JSON': [
    ` ✓ a.bench.ts > sort 675ms
{
  "files": [
    {
      "filepath": "/tmp/a.bench.ts",
      "groups": [
        {
          "fullName": "a.bench.ts > sort",
          "benchmarks": [
            { "name": "normal", "rank": 1, "min": 0.00013, "hz": 3733011.26, "mean": 0.00026, "p99": 0.00039 }
          ]
        }
      ]
    }
  ]
}`,
    [['a.bench.ts > sort > normal', 3_733_011.26, 'higher']],
  ],
  'tinybench, console.table': [
    `┌─────────┬───────────────┬────────────────────┬──────────────────┬────────────────────────┬────────────────────────┬─────────┐
│ (index) │ Task name     │ Latency avg (ns)   │ Latency med (ns) │ Throughput avg (ops/s) │ Throughput med (ops/s) │ Samples │
├─────────┼───────────────┼────────────────────┼──────────────────┼────────────────────────┼────────────────────────┼─────────┤
│ 0       │ 'faster task' │ '1117.7 ± 139.26%' │ '311.00 ± 9.00'  │ '3161988 ± 0.03%'      │ '3215434 ± 90434'      │ 76538   │
└─────────┴───────────────┴────────────────────┴──────────────────┴────────────────────────┴────────────────────────┴─────────┘`,
    [['faster task', 3_161_988, 'higher']],
  ],
  'tinybench 3.0, table() as JSON': [
    '[{"Task name":"slow","Latency average (ns)":"472.89 ± 0.5%","Throughput average (ops/s)":"2114648 ± 0.03%","Samples":7}]',
    [['slow', 2_114_648, 'higher']],
  ],
  'tinybench 2, table() as JSON': [
    '[{"Task Name":"slow","ops/sec":"2,114,648","Average Time (ns)":472.89,"Margin":"±23.04%","Samples":126879}]',
    [['slow', 2_114_648, 'higher']],
  ],
  'tinybench, results with names': [
    `[{"name":"a","state":"completed","latency":{"mean":0.0011,"p99":0.0003},"throughput":{"mean":3161987.5,"p50":3215434}},
{"name":"b","result":{"latency":{"mean":0.0011},"throughput":{"mean":7}}},{"name":"c","result":{"hz":8,"mean":0.1}}]`.replace(
      '\n',
      '',
    ),
    [
      ['a', 3_161_987.5, 'higher'],
      ['b', 7, 'higher'],
      ['c', 8, 'higher'],
    ],
  ],
  'node:bench, JSON': [
    `{"type":"bench:start","data":{"name":"construct","namePath":["URL","construct"],"params":{"input":"short"}}}
{"type":"bench:sample","data":{"name":"construct","namePath":["URL","construct"],"rate":67308.7}}
{"type":"bench:complete","data":{"name":"construct","namePath":["URL","construct"],"params":{"input":"short"},"summary":{"mean":1626560.3,"median":683621.3,"min":67308.7}}}
{"type":"bench:summary","data":{"counts":{"completed":1}}}`,
    [['URL > construct > short', 683_621.3, 'higher']],
  ],
}

test('what benchmark tools print is recognised by its form', () =>
  rows(OUTPUTS)(([output, figures]) =>
    expect(readFigures(output).map(({ name, value, better }) => [name, expect.closeTo(value), better])).toEqual(
      figures,
    ),
  ))

test('lines that begin an object without an end are read in time in proportion to their number', () => {
  expect(readFigures(`${'{\n'.repeat(50_000)}parse 1 ms`)).toMatchObject([{ name: 'parse' }])
})
