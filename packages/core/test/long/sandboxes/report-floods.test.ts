// What a process that has taken over its runtime can send at any time, in any number: its neighbours and the memory of the host do not notice.
import { expect, test } from 'vitest'
import { rows } from '../../../../../scripts/testing.js'
import type { Launcher } from '../../../src/launchers.js'
import { getPrelude } from '../../support/hostile-process.js'
import { count, KINDS, openWatched, startMembers } from '../../support/members.js'

const MiB = 2 ** 20
const FLOOD_MS = 1500
// oxlint-disable-next-line sallyport/no-real-time -- how long a neighbour waits is what is measured
const now = (): number => performance.now()
const REPORTS = `for (const message of [{ type: 'state', state: 'ready' }, { type: 'loaded' }, { type: 'synchronized' }]) report(message);`
const toReport = (message: string): string =>
  `flood(control, frame(1, JSON.stringify({ type: 'message', message: ${message} })))`
const toRecord = (type: number, id = 0): string => `flood(output, record(${id}, ${type}))`
const toCore = (message: string): string => `flood(core, frame(1, JSON.stringify(${message})))`
const LARGE = `{ message: 'x'.repeat(16_000), stack: 'x'.repeat(16_000), thrown: { name: 'x'.repeat(30_000) } }`

const OF_ALL: readonly [what: string, program: string][] = [
  ['rejections', toReport(`{ type: 'unhandled', error: {} }`)],
  ['large rejections', toReport(`{ type: 'unhandled', error: ${LARGE} }`)],
  ['refused calls', toReport(`{ type: 'unsent', count: 1 }`)],
  ['answers', toReport(`{ type: 'answer', queued: 1 }`)],
  ['credit of no bytes', toRecord(0xfa)],
  ['lines for its log', `flood(process.stderr, Buffer.from('line\\n'))`],
]
const FLOODS: Readonly<Record<string, readonly [what: string, program: string][]>> = {
  'a process': [
    ...OF_ALL,
    ['output', `flood(stdout, Buffer.from('line\\n'))`],
    ['ends of a stream', `stdout.end(); ${toRecord(0xfb, 0xffff_fffe)}`],
    ['notifications', toCore(`{ jsonrpc: '2.0', method: 'x' }`)],
    ['answers of no call', toCore(`{ jsonrpc: '2.0', id: 7, result: 1 }`)],
  ],
  'a script in a process of several': [
    ...OF_ALL,
    ['errors', `flood(control, frame(1, '{"type":"error","error":{"message":"x"}}'))`],
    ['that it terminates', `flood(control, frame(1, '{"type":"terminating"}'))`],
  ],
}

test(
  'a flood of anything that a process can send at any time delays no neighbour, and takes no memory',
  { timeout: 300_000 },
  () =>
    rows([
      ['a process', 0, `member({ type: 'linked', isDirect: false });`],
      ['a script in a process of several', 1, ''],
    ] as const)(async (name, member, linked) => {
      const kind = KINDS.find(each => each.name === name)!
      const bus = await startMembers()
      const { restarts } = await openWatched(bus, kind, ['b'])
      let calls = 0
      await rows([['the first of all' as string, OF_ALL[0]![1]] as const, ...FLOODS[name]!])(async (what, program) => {
        const code = `${getPrelude(member)}
        const record = (id, type) => { const head = Buffer.alloc(9); head.writeUInt32LE(id, 0); head[4] = type; return head }
        const flood = (stream, one) => {
          const many = Buffer.concat(Array(Math.ceil(16_000 / one.length)).fill(one))
          const next = () => stream.write(many, next)
          next()
        }
        // A process that answers for its scripts, as an honest one does.
        const answer = frame(1, JSON.stringify({ type: 'message', message: { type: 'answer' } }))
        if (${member} > 0) streams.open(0).on('data', function (asked) { if (asked.includes('"ask"')) this.write(answer) })
        control.once('data', () => { ${linked} ${REPORTS} control.on('data', () => {}); setImmediate(() => { ${program} }) })
        setInterval(() => {}, 1000)`
        const wall: Launcher = { name: 'hostile', launch: command => ({ command, args: ['-e', code] }) }
        const sandbox = { ...kind.place, wall } as typeof kind.place
        const before = process.memoryUsage.rss()
        await bus.open(
          'a',
          { source: '' },
          { sandbox, supervision: { heartbeat: false, restart: 'temporary' }, onStdio() {} },
        )
        let longest = 0
        let most = 0
        for (const begin = now(); now() - begin < FLOOD_MS;) {
          const asked = now()
          expect(await count(bus, 'b')).toBe(++calls)
          longest = Math.max(longest, now() - asked)
          most = Math.max(most, process.memoryUsage.rss() - before)
          await new Promise(setImmediate)
        }
        await bus.closeFrontend('a').catch(() => {})
        expect(longest).toBeLessThan(500)
        // The first one loads what all of them need.
        if (what !== 'the first of all') expect(most / MiB).toBeLessThan(64)
      })
      expect(restarts).toEqual([])
    }),
)
