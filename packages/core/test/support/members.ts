// The kinds of members: the ways in which the code of a frontend runs. What differs between them is data here, and the tests are the same for all.
import { availableParallelism } from 'node:os'
import type { Worker } from 'node:worker_threads'
import { expect } from 'vitest'
import type { Bus, BusOptions, FrontendOptions } from '../../src/index.js'
import { choose } from '../../../../scripts/testing.js'
import { getFrontendPids } from './processes.js'
import { collectWorkers, watch, workers } from './shared-threads.js'
import { everyCommand, isolation, start } from './start.js'
import { soon } from './supervised.js'

type Place = Extract<NonNullable<FrontendOptions['sandbox']>, object>

/** A thread or process that several members can share: how it ends, which members end with it, and the error of each. */
interface HostEnd {
  host: string
  end(hosts: { threads: Worker[]; pids: number[] }, bus: Bus): unknown
  takes: readonly string[]
  /** Processes that end with it. */
  ended(pids: number[]): number[]
  fault(label: string): string
}

export interface MemberKind {
  name: string
  /** Where the members `a` and `b` are, and where `c` is, which shares as little with them as it can. */
  place: Place
  elsewhere?: Place
  /** What it adds to `place` if its loops end soon, or to the options of its frontend. */
  loops: { place?: object; options?: FrontendOptions }
  /** The errors of a member that loops, and of one that fills its memory. */
  looped(label: string): object
  filled(label: string): object
  /** What its limit of memory counts. */
  memory: readonly string[]
  /** What `import` of the client has in a file. */
  client: string
  /** Numbers of threads and processes that `a`, `b` and `c` have, and that are kept without them. */
  hosts: readonly [threads: number, processes: number]
  kept: readonly [threads: number, processes: number]
  ends: readonly HostEnd[]
}

const RELAYS = Math.max(1, Math.min(4, Math.floor(availableParallelism() / 2)))
/** With and without a wall, on machines that have one. */
const [wall] = choose(['none', 'auto'] as const) as ['auto']
const LONGEST = { time: 5000 } as const
const heap = { resourceLimits: { maxOldGenerationSizeMb: 32 } }

const inNode = {
  client: import.meta.resolve('@sallyport/frontend'),
  loops: { options: { supervision: { heartbeat: 60_000 } } },
  looped: (label: string) => ({ message: `frontend "${label}" blocked its event loop for 60000 ms` }),
  filled: (label: string) => ({ message: `frontend "${label}" ran out of memory` }),
  memory: ['objects'],
} as const
const inScript = {
  client: '@sallyport/frontend',
  loops: { place: { time: 50 } },
  looped: () => ({ reason: 'Crashed', data: { limit: 'time', max: 50 } }),
  filled: () => ({ reason: 'Crashed', data: { limit: 'memory', max: 16 } }),
  memory: ['objects', 'bytes', 'text'],
} as const
const script = { kind: 'quickjs', memory: 16, ...LONGEST } as const

const ofRelays: HostEnd = {
  host: 'the threads of relays',
  end: ({ threads }) => Promise.all(threads.map(thread => thread.terminate())),
  takes: ['a', 'b', 'c'],
  ended: pids => pids,
  fault: () => 'exited with code 1',
}
const ofProcess = (takes: HostEnd['takes'], at: number, fault: HostEnd['fault']): HostEnd => ({
  ...{ host: 'its process', takes, fault },
  end: ({ pids }) => process.kill(pids[at]!, 'SIGKILL'),
  ended: pids => pids.slice(at, at + 1),
})
const ofThread = (takes: HostEnd['takes'], fault: HostEnd['fault']): HostEnd => ({
  ...{ host: 'its thread', takes, fault },
  end: ({ threads }) => threads[0]!.terminate(),
  ended: () => [],
})
const killed = (label: string): string => `frontend "${label}" was terminated by SIGKILL`

export const KINDS: readonly MemberKind[] = [
  {
    name: 'a thread',
    ...inNode,
    place: { kind: 'permission', ...heap },
    ...{ hosts: [3, 0], kept: [0, 0] },
    ends: [ofThread(['a'], label => `frontend "${label}" exited with code 1`)],
  },
  {
    name: 'a script in a shared thread',
    ...inScript,
    place: { ...script, group: 'one' },
    elsewhere: { ...script, group: 'another' },
    ...{ hosts: [2, 0], kept: [0, 0] },
    ends: [
      ofThread(
        ['a', 'b'],
        label => `A thread exited with code 1. The thread that frontend "${label}" shared was terminated`,
      ),
    ],
  },
  {
    name: 'a process',
    ...inNode,
    place: { kind: 'process', wall, ...heap },
    ...{ hosts: [Math.min(3, RELAYS), 3], kept: [Math.min(3, RELAYS), 0] },
    ends: [ofProcess(['a'], 0, killed), ofRelays],
  },
  {
    name: 'a process that was started ahead',
    ...inNode,
    place: { kind: 'process', wall, ...heap, spares: 3 },
    ...{ hosts: [RELAYS, 7], kept: [RELAYS, 3] },
    // Which of the processes it has is for the pool to say.
    ends: [
      {
        ...ofProcess(['a'], 0, label => `frontend "${label}" exited with code 1`),
        end: (_hosts, bus) => bus.call('a', 'exit').catch(getReason),
        ended: () => [],
      },
      ofRelays,
    ],
  },
  {
    name: 'a script in a process',
    ...inScript,
    place: { ...script, process: true, wall },
    ...{ hosts: [Math.min(3, RELAYS), 3], kept: [Math.min(3, RELAYS), 0] },
    ends: [ofProcess(['a'], 0, killed), ofRelays],
  },
  {
    name: 'a script in a process of several',
    ...inScript,
    place: { ...script, process: true, wall, group: 'one' },
    elsewhere: { ...script, process: true, wall, group: 'another' },
    ...{ hosts: [Math.min(2, RELAYS), 2], kept: [Math.min(2, RELAYS), 0] },
    ends: [ofProcess(['a', 'b'], 0, () => 'was terminated by SIGKILL'), ofRelays],
  },
]

/** Each member may call what its `allow` says, in both patterns. */
export const memberApps: [name: string, app: Partial<BusOptions>][] = choose([
  ['brownfield', {}],
  ['isolation', isolation('judge', {}, { ...everyCommand, windows: ['nobody'] })],
])

const SOURCE = `
  import { emit, expose, getData, getLabel, invoke, listen } from '@sallyport/frontend'
  let count = 0
  const x = length => 'x'.repeat(length)
  const fail = message => { throw new Error(message) }
  const floods = {
    output: () => { for (let n = 0; n < 200; n++) console.log(x(2000)) },
    events: () => { for (let n = 0; n < 100; n++) emit('noise', x(4000)).catch(() => {}) },
    calls: () => { for (let n = 0; n < 64; n++) invoke('echo', { value: x(10_000) }).catch(() => {}) },
  }
  const fills = { objects: () => Array(1e4).fill({}), bytes: () => new Uint8Array(2 ** 20).fill(1), text: kept => x(2 ** 20) + kept.length }
  const errors = {
    'in a timer': message => setTimeout(() => fail(message), 1),
    'in a microtask': message => queueMicrotask(() => fail(message)),
    'in a promise': message => void (async () => { await null; fail(message) })(),
    'after an answer': message => void invoke('slow', { ms: 1 }).then(() => fail(message)),
    'in a listener': message => listen('now', () => fail(message)).then(() => emit('now')),
    'from a denied call': () => void invoke('add', { a: 1, b: 2 }),
    'a value that is no error': () => setTimeout(() => { throw new Proxy({}, { has() { fail('in a trap') } }) }),
  }
  expose({
    count: () => ++count,
    about: () => [getLabel(), getData()],
    greet: () => invoke('greet', { name: getLabel() }),
    change: () => {
      try { Object.prototype.changed = 1 } catch {}
      try { Array.prototype.toString = () => 'changed' } catch {}
      try { sallyport.label = 'b' } catch {}
      globalThis.changed = 1
    },
    seen: () => [{}.changed ?? null, globalThis.changed ?? null, String([1])],
    never: () => new Promise(() => {}),
    exit: () => process.exit(1),
    echo: value => value,
    tick: () => void setInterval(() => emit('tick', getLabel()), 1),
    loop: async ({ how }) => {
      await emit('loops')
      setTimeout(() => { if (how === 'spin') for (;;); /^(a+)+$/.test('a'.repeat(60) + 'b') }, 1)
      return new Promise(() => {})
    },
    fill: ({ how }) => { const kept = []; for (;;) kept.push(fills[how](kept)) },
    flood: async ({ how }) => { const next = () => { floods[how](); setTimeout(next, 1) }; next() },
    send: ({ count, length }) => { for (let n = 0; n < count; n++) emit('sent', [n, x(length)]).catch(() => {}) },
    print: ({ lines }) => { console.error('b'); for (let n = 0; n < lines; n++) console.log('x' + '\\u{1f600}'.repeat(3000)) },
    fail: async ({ how }) => { await errors[how](how) },
  })
`
export const CODE = { source: SOURCE, name: 'member.js' } as const

/** Starts a bus whose threads are collected. */
export async function startMembers(app: Partial<BusOptions> = {}): Promise<Bus> {
  const bus = await start({ ...app, supervision: { ...soon, heartbeat: false } })
  collectWorkers()
  return bus
}

const getPlace = ({ place, elsewhere = place }: MemberKind, label: string): Place => (label === 'c' ? elsewhere : place)

export async function open(bus: Bus, kind: MemberKind, labels: readonly string[], options: FrontendOptions = {}) {
  const { spares = 0 } = kind.place as { spares?: number }
  if (spares > 0) {
    await bus.open('first', CODE, { sandbox: kind.place, allow: '*' })
    await expect.poll(async () => (await bus.stats()).spares).toBe(spares)
  }
  for (const label of labels) await bus.open(label, CODE, { sandbox: getPlace(kind, label), allow: '*', ...options })
}

/** Opens members, and returns what their bus reports of them from then on, and their threads and processes. */
export async function openWatched(bus: Bus, kind: MemberKind, labels: readonly string[], options?: FrontendOptions) {
  await open(bus, kind, labels, options)
  return { ...watch(bus), hosts: { threads: [...workers], pids: getFrontendPids() } }
}

/** Returns the number of calls of `count`, which a restart resets. */
export const count = (bus: Bus, label: string): Promise<number | undefined> =>
  bus.call<number>(label, 'count').catch(() => undefined)

export const TEMPORARY = { supervision: { restart: 'temporary' } } as const
export const getReason = (error: { reason: string }): string => error.reason
