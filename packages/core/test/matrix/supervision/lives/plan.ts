// What one sequence does, from its seed alone: a bus, its frontends, and actions that overlap.
import type { CodecName, RunOptions } from '../../../../src/index.js'
import { Random } from '../../../fuzz/random.js'
import type { RunEnd } from './code.js'

export type Kind = 'none' | 'permission' | 'process' | 'walled' | 'script' | 'script process' | 'scripts' | 'connection'

export interface Slot {
  readonly label: string
  readonly kind: Kind
  /** Its heap is small, so that it can run out of it. */
  readonly isLimited: boolean
  /** Milliseconds: it is ended when it hangs. */
  readonly heartbeat: number | undefined
  readonly restart: 'transient' | 'permanent' | 'temporary'
  readonly hasSpare: boolean
}

/** What an action waits for before it starts: turns of the event loop, answers of core, or the end of an earlier action. */
export type Gap = { turns: number } | { trips: number } | { after: number }

type RunSandbox = NonNullable<RunOptions['sandbox']>
export type Way = 'host' | 'hold' | 'core' | 'later' | 'relay' | 'ask' | 'stream' | 'read'
export type End = 'throw' | 'reject' | 'overflow' | 'exit' | 'finish' | 'abort' | 'memory' | 'loop'

export type Action = { readonly gap: Gap } & (
  | { readonly do: 'call'; way: Way; slot: number; to: number; size: number; count: number; timeout?: number }
  | { readonly do: 'open' | 'reload' | 'kill'; slot: number }
  | { readonly do: 'close'; slot: number; timeout: number }
  | { readonly do: 'end'; slot: number; how: End }
  | { readonly do: 'fill'; slot: number; count: number; size: number; ms: number }
  | { readonly do: 'run'; sandbox: RunSandbox; end: RunEnd; size: number; timeout: number | undefined }
  | { readonly do: 'end core'; how: 'throw' | 'exit' | 'terminate' | 'reload' }
  | { readonly do: 'kill shared'; role: 'gates' | 'relays' | 'scripts' }
  | { readonly do: 'kill process'; index: number }
  | { readonly do: 'kill gate'; slot: number }
  | { readonly do: 'stats' }
  | { readonly do: 'close bus'; timeout: number }
)

export interface Plan {
  readonly seed: number
  readonly codec: CodecName
  readonly gates: 'none' | 'each' | number
  readonly coreIsInThread: boolean
  readonly slots: readonly Slot[]
  /** The actions begin while the frontends open. */
  readonly isHasty: boolean
  readonly actions: readonly Action[]
  readonly closeTimeout: number
}

const SIZES = [0, 10, 1000, 50_000, 2 ** 20]
const KINDS: readonly Kind[] = [
  ...(['none', 'none', 'permission', 'permission', 'script', 'script', 'script', 'connection'] as const),
  ...(['process', 'walled', 'script process', 'scripts'] as const),
]
const RUN_SANDBOXES: readonly RunSandbox[] = ['quickjs', 'quickjs', 'permission', { kind: 'process', wall: 'none' }]
const HEARTBEAT_MS = 1000
/** Of a stream, or of what fills queues. All frontends get what fills. */
const MAX_BYTES = 2 ** 22

export const isScript = (kind: Kind): boolean => kind.startsWith('script')
export const hasProcess = (kind: Kind): boolean => ['process', 'walled', 'script process', 'scripts'].includes(kind)

export function createPlan(seed: number): Plan {
  const random = new Random(seed)
  const gates = random.pick(['none', 'none', 'none', 'each', 1, 2] as const)
  const coreIsInThread = random.chance(0.25)
  const slots = Array.from({ length: 3 + random.few(3) }, (_, index) => createSlot(random, `f${index}`))
  const actions: Action[] = []
  const count = 10 + random.below(16)
  for (let index = 0; index < count; index++) actions.push(createAction(random, createGap(random, index)))
  return {
    seed,
    codec: random.pick(['json', 'msgpack']),
    gates,
    coreIsInThread,
    slots,
    isHasty: random.chance(0.3),
    actions: actions.map(action => fit(action, slots, coreIsInThread)),
    closeTimeout: random.pick([0, 0, 20, 100]),
  }
}

export const describePlan = ({ actions, slots, ...bus }: Plan): string =>
  [
    JSON.stringify(bus),
    ...slots.map(slot => JSON.stringify(slot)),
    ...actions.map((action, index) => `${index}: ${JSON.stringify(action)}`),
  ].join('\n')

function createSlot(random: Random, label: string): Slot {
  return {
    label,
    kind: random.pick(KINDS),
    isLimited: random.chance(0.2),
    heartbeat: random.chance(0.05) ? HEARTBEAT_MS : undefined,
    restart: random.pick(['transient', 'transient', 'permanent', 'temporary']),
    hasSpare: random.chance(0.1),
  }
}

const createGap = (random: Random, index: number): Gap => {
  if (random.chance(0.35)) return { turns: 0 }
  if (index > 0 && random.chance(0.2)) return { after: random.below(index) }
  return random.chance(0.5) ? { trips: 1 + random.few(8) } : { turns: 1 + random.few(30) }
}

function createAction(random: Random, gap: Gap): Action {
  const slot = random.below(1000)
  const size = random.pick(SIZES)
  const drafts: readonly (readonly [weight: number, create: () => object])[] = [
    [30, () => createCall(random, slot, size)],
    [5, () => ({ do: 'open', slot })],
    [6, () => ({ do: 'close', slot, timeout: random.pick([0, 0, 5, 100]) })],
    [5, () => ({ do: 'reload', slot })],
    [
      11,
      () => ({
        do: 'end',
        slot,
        how: random.pick([
          'throw',
          'throw',
          'reject',
          'overflow',
          'exit',
          'finish',
          'abort',
          'memory',
          'loop',
        ] as const),
      }),
    ],
    [5, () => ({ do: 'fill', slot, count: 1 + random.few(300), size, ms: random.pick([0, 5, 50]) })],
    [6, () => ({ do: 'kill', slot })],
    [10, () => createRun(random, size)],
    [2, () => ({ do: 'end core', how: random.pick(['throw', 'exit', 'terminate', 'reload'] as const) })],
    [1, () => ({ do: 'kill shared', role: random.pick(['gates', 'relays', 'scripts'] as const) })],
    [1.5, () => ({ do: 'kill process', index: random.below(1000) })],
    [1.5, () => ({ do: 'kill gate', slot })],
    [1.5, () => ({ do: 'stats' })],
    [0.7, () => ({ do: 'close bus', timeout: random.pick([0, 20, 200]) })],
  ]
  let left = random.next() * drafts.reduce((sum, [weight]) => sum + weight, 0)
  const [, create] = drafts.find(([weight]) => (left -= weight) < 0) ?? drafts[0]!
  return { gap, ...create() } as Action
}

function createCall(random: Random, slot: number, size: number): object {
  const way = random.pick(['host', 'host', 'hold', 'core', 'later', 'relay', 'ask', 'stream', 'read'] as const)
  const timeout = way === 'hold' && random.chance(0.3) ? { timeout: 1 + random.below(50) } : {}
  return { do: 'call', way, slot, to: random.below(1000), size, count: 1 + random.few(50), ...timeout }
}

function createRun(random: Random, size: number): object {
  const end = random.pick(['returns', 'returns', 'calls', 'throws', 'loops', 'exits'] as const)
  const sandbox = random.pick(RUN_SANDBOXES)
  // Scripts have no process that could exit. What loops has a time.
  const isScriptExit = end === 'exits' && sandbox === 'quickjs'
  return { do: 'run', sandbox, end: isScriptExit ? 'returns' : end, size, timeout: end === 'loops' ? 100 : undefined }
}

/** Replaces what its frontend cannot do. */
function fit(action: Action, slots: readonly Slot[], coreIsInThread: boolean): Action {
  const { gap } = action
  if (action.do === 'end core' && coreIsInThread) return { gap, do: 'stats' }
  if (!('slot' in action)) return action
  const index = action.slot % slots.length
  const { kind, isLimited, heartbeat } = slots[index]!
  const call: Action = { gap, do: 'call', way: 'host', slot: index, to: index, size: 10, count: 1 }
  if (action.do === 'call') {
    const most = Math.ceil(MAX_BYTES / (action.size + 1))
    return { ...action, slot: index, to: action.to % slots.length, count: Math.min(action.count, most) }
  }
  if (kind === 'connection' && ['reload', 'kill', 'end', 'fill'].includes(action.do)) return call
  if (action.do === 'fill') {
    if (isLimited) return call
    return { ...action, slot: index, count: Math.min(action.count, Math.ceil(MAX_BYTES / (action.size + 1))) }
  }
  if (action.do === 'end') {
    const { how } = action
    const isImpossible =
      (isScript(kind) && ['exit', 'finish', 'abort'].includes(how)) ||
      (how === 'abort' && !hasProcess(kind)) ||
      (how === 'memory' && (!isLimited || kind === 'none')) ||
      (how === 'loop' && kind !== 'none' && heartbeat === undefined && slots.length % 2 === 0)
    return { ...action, slot: index, how: isImpossible ? 'throw' : how }
  }
  return { ...action, slot: index }
}
