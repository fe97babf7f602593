// The life of everything that the host starts, as one table: of core, of gates, of frontends and runs in threads and processes, and of connections
// and pages. The regions are parallel. `code` is what runs, and `core`, `gate`, `stage` and `link` are what else the end of a frontend depends on.
// Core and gates have the region `code` alone. A symptom, such as a link that has closed, only ever leads to a question: the obituary of
// the code decides.
import {
  type Change,
  type ChangeName,
  CHANGES,
  createContext,
  type EffectName,
  type EventName,
  getNext,
  type LifeContext,
  type LifeEvent,
  type LifeInput,
} from './judge.js'

export type Region = 'code' | 'core' | 'gate' | 'stage' | 'link'
/** The states of each region. */
interface States {
  code:
    | 'starting'
    | 'running'
    | 'ending'
    | 'killing'
    | 'ended'
    | 'renewed'
    | 'backingOff'
    | 'waiting'
    | 'absent'
    | 'stopped'
    | 'failed'
  core: 'down' | 'up'
  gate: 'choice' | 'none' | 'down' | 'up' | 'ready' | 'ending'
  stage: 'opening' | 'ready' | 'started'
  link: 'down' | 'replacing' | 'offered' | 'attached' | 'active' | 'asking' | 'lost'
}
type Action = ChangeName | EffectName
export type LifeValue = { [R in Region]: States[R] }
type Condition = (context: LifeContext, event: LifeEvent, value: LifeValue) => boolean

/** `do` lists changes of the context and effects. Without `to`, the state stays. */
export interface Transition<R extends Region = Region> {
  readonly if?: Condition
  readonly to?: States[R]
  readonly do?: readonly Action[]
}

export interface LifeState<R extends Region = Region> {
  readonly entry?: readonly Action[]
  readonly exit?: readonly Action[]
  readonly always?: readonly Transition<R>[]
  readonly on?: Readonly<Partial<Record<EventName, readonly Transition<R>[]>>>
}

const is =
  <R extends Region>(region: R, ...states: States[R][]): Condition =>
  (_context, _event, value) =>
    states.includes(value[region])
const not =
  (condition: Condition): Condition =>
  (context, event, value) =>
    !condition(context, event, value)
const all =
  (...conditions: Condition[]): Condition =>
  (context, event, value) =>
    conditions.every(holds => holds(context, event, value))

const isCurrent: Condition = (c, e) => e.link === c.link
const isBlocked: Condition = (_, e) => e.isBlocked === true
const isStop: Condition = c => c.goal === 'stop'
const isOpen: Condition = c => !c.isDraining()
const isIsolated: Condition = c => c.isIsolated === true
const isRunning: Condition = c => c.isRunning === true
const isBound: Condition = c => c.keepsLink === true && (c.hasBegun || c.isSpent?.() === true)

const MAX_UNBORN = 3
const isPage: Condition = c => c.isPage === true && c.goal !== 'stop'
const isUnborn: Condition = c => !c.obituary!.ranCode && c.goal !== 'stop' && c.unborn <= MAX_UNBORN && !c.isDraining()
const isReload: Condition = c => c.goal === 'reload' && !c.isDraining()
const canGoOn: Condition = c => c.goal !== 'stop' && !c.isDraining() && c.everRan && c.isOpening?.() !== true
const waits: Condition = c => c.waitsAfterError === true && c.error !== undefined
const restarts: Condition = c =>
  (c.supervision.restart === 'permanent' || (c.supervision.restart === 'transient' && c.error !== undefined)) &&
  getNext(c) !== undefined
const isClean: Condition = c => c.error === undefined

const codeUp = is('code', 'starting', 'running')
const over = { always: [{ if: all(is('link', 'down'), c => !c.isOver), do: ['end', 'over'] }] } as const
/** A gate that is ending passes on what the code has sent, and is no gate for other code. */
const hasGate = is('gate', 'none', 'up', 'ready')
const canLink = all(codeUp, is('core', 'up'), hasGate)
const canPass = is('gate', 'none', 'ready')

const violated = { if: all(isCurrent, is('link', 'attached', 'active', 'asking')), do: ['sentence'] } as const
const ended = { OBITUARY: [{ to: 'ended', do: ['record'] }] } as const
const fails = { FAIL: [{ to: 'failed', do: ['doom', 'kill', 'exit', 'finish'] }] } as const
const up = {
  ...{ ...ended, ...fails },
  SENTENCE: [
    { if: isBlocked, to: 'killing', do: ['sentence'] },
    { to: 'ending', do: ['sentence'] },
  ],
  'LINK.VIOLATED': [{ ...violated, to: 'ending' }],
  'LINK.ANSWERED': [{ if: all(isCurrent, is('link', 'asking')), to: 'ending', do: ['sentence'] }],
  RELOAD: [{ to: 'ending', do: ['wantReload'] }],
  STOP: [{ to: 'ending', do: ['wantStop'] }],
} as const
const going = { ...ended, ...fails, SENTENCE: [{ do: ['sentence'] }], RELOAD: [{ do: ['wantReload'] }] } as const
const paused = {
  RELOAD: [{ to: 'renewed' }],
  STOP: [{ to: 'stopped', do: ['wantStop', 'forgive', 'exit'] }],
  FAIL: [{ to: 'failed', do: ['doom', 'exit'] }],
} as const

const gateEnds = { 'GATE.ENDING': [{ to: 'ending' }], 'GATE.DOWN': [{ to: 'down' }] } as const

/** Whatever has ended is why a link ends, and no question is asked. The code has its link until its obituary. */
const lostLink = [
  { if: is('core', 'down'), to: 'down', do: ['forget'] },
  { if: not(is('code', 'starting', 'running', 'ending', 'killing', 'ended')), to: 'down', do: ['detach'] },
  { if: is('gate', 'down'), to: 'down', do: ['detach'] },
] as const
const linkEnded = {
  'LINK.ENDED': [
    { if: all(isCurrent, not(codeUp)), to: 'lost' },
    { if: isCurrent, to: 'asking' },
  ],
  'LINK.DROPPED': [{ if: isCurrent, to: 'down', do: ['detach'] }],
} as const

export const LIFE: { readonly [R in Region]: Readonly<Record<States[R], LifeState<R>>> } = {
  code: {
    starting: {
      entry: ['born', 'spawn'],
      exit: ['rest'],
      on: { ...up, READY: [{ to: 'running', do: ['ran', 'ready'] }] },
    },
    running: { on: up },
    ending: {
      entry: ['askToStop'],
      exit: ['rest'],
      on: {
        ...going,
        // A second one must not begin the time again.
        STOP: [{ if: isStop }, { do: ['wantStop', 'askToStop'] }],
        SENTENCE: [{ if: isBlocked, to: 'killing', do: ['sentence'] }, ...going.SENTENCE],
        SILENT: [{ to: 'killing' }],
      },
    },
    killing: {
      entry: ['kill', 'drop'],
      exit: ['rest'],
      on: { ...going, STOP: [{ if: isStop }, { do: ['wantStop', 'drop'] }] },
    },
    ended: {
      always: [
        { if: isPage, to: 'absent', do: ['leave', 'finish'] },
        { if: isUnborn, to: 'renewed', do: ['renew', 'finish'] },
        { if: isReload, to: 'renewed', do: ['renew', 'finish'] },
        { if: all(canGoOn, not(waits), restarts), to: 'backingOff', do: ['count', 'backOff', 'finish'] },
        { if: all(canGoOn, waits), to: 'waiting', do: ['wait', 'finish'] },
        { if: isClean, to: 'stopped', do: ['exit', 'finish'] },
        { to: 'failed', do: ['describe', 'exit', 'finish'] },
      ],
    },
    // The link of the code is given up, after its end is known. The sockets of a process go to the next gate.
    renewed: { entry: ['endRow'], always: [{ if: hasGate, to: 'starting' }], on: { ...paused, RELOAD: [] } },
    backingOff: { exit: ['rest'], on: { ...paused, ELAPSED: [{ if: isOpen, to: 'starting' }] } },
    waiting: { on: paused },
    absent: { on: { ...paused, JOIN: [{ to: 'starting' }] } },
    stopped: over,
    failed: over,
  },
  core: { down: { on: { 'CORE.UP': [{ to: 'up' }] } }, up: { on: { 'CORE.DOWN': [{ to: 'down' }] } } },
  gate: {
    choice: { always: [{ if: isIsolated, to: 'down' }, { to: 'none' }] },
    none: {},
    down: { on: { 'GATE.UP': [{ to: 'up' }] } },
    up: { on: { ...gateEnds, 'GATE.READY': [{ to: 'ready' }] } },
    ready: { on: gateEnds },
    ending: { on: { 'GATE.DOWN': [{ to: 'down' }] } },
  },
  stage: {
    opening: { always: [{ if: all(is('link', 'attached'), canPass, codeUp), to: 'ready', do: ['opened'] }] },
    ready: { always: [{ if: isRunning, to: 'started' }], on: { START: [{ to: 'started' }] } },
    started: {},
  },
  link: {
    // A process has the link that it has begun with.
    down: {
      always: [
        { if: all(canLink, isBound), to: 'replacing' },
        { if: canLink, to: 'offered' },
      ],
    },
    replacing: { entry: ['replace'], always: [{ if: not(codeUp), to: 'down' }] },
    offered: {
      entry: ['newLink', 'offer'],
      always: lostLink,
      on: {
        ...linkEnded,
        'LINK.ATTACHED': [
          { if: all(isCurrent, isRunning), to: 'attached', do: ['begin'] },
          { if: isCurrent, to: 'attached' },
        ],
      },
    },
    attached: {
      always: [...lostLink, { if: all(is('stage', 'started'), canPass, codeUp), to: 'active' }],
      on: linkEnded,
    },
    active: { entry: ['handOver', 'begin'], always: lostLink, on: linkEnded },
    // Core says that the link has ended. Whoever has ended it says so, or answers.
    asking: {
      entry: ['ask'],
      exit: ['stopAsking'],
      always: [...lostLink, { if: not(codeUp), to: 'lost' }],
      on: { 'LINK.DROPPED': linkEnded['LINK.DROPPED'] },
    },
    // The link has ended, and the host is ending the code.
    lost: { always: lostLink, on: { 'LINK.DROPPED': linkEnded['LINK.DROPPED'] } },
  },
}

/** `LIFE` and `CHANGES` without the types of their names: the interpreter takes any region, and an action can be an effect. */
const TABLE: Readonly<Record<Region, Readonly<Record<string, LifeState>>>> = LIFE
const OWN: Readonly<Partial<Record<Action, Change>>> = CHANGES

export const INITIAL: Readonly<LifeValue> = {
  code: 'starting',
  core: 'down',
  gate: 'choice',
  stage: 'opening',
  link: 'down',
}

export interface Life {
  readonly value: Readonly<Partial<LifeValue>>
  readonly context: LifeContext
  /** What is sent by an effect follows after the current event. */
  send(event: LifeEvent): void
}

/** True once no other code follows. */
export const hasEnded = ({ value }: Life): boolean => value.code === 'stopped' || value.code === 'failed'

const REGIONS = Object.keys(TABLE) as Region[]
const START: LifeEvent = { type: 'start' }

interface Step {
  readonly region: Region
  readonly transition: Transition
}

export class SteppedLife implements Life {
  readonly value: LifeValue = { ...INITIAL }
  readonly context: LifeContext
  readonly #queue: LifeEvent[] = []
  #isBusy = true

  constructor(input: LifeInput) {
    this.context = createContext(input)
    for (const region of REGIONS) this.#do(this.#getState(region).entry, START)
    this.#settle(START)
    this.#handleQueue()
  }

  send(event: LifeEvent): void {
    this.#queue.push(event)
    if (this.#isBusy) return
    this.#isBusy = true
    this.#handleQueue()
  }

  #handleQueue(): void {
    try {
      for (let event = this.#queue.shift(); event; event = this.#queue.shift()) {
        const { type } = event
        const steps = this.#find(event, ({ on }) => on?.[type])
        if (!steps) continue
        this.#take(steps, event)
        this.#settle(event)
      }
    } finally {
      // An effect that throws, as for want of memory, must not keep the life from its end.
      this.#isBusy = false
    }
  }

  #settle(event: LifeEvent): void {
    for (let steps; (steps = this.#find(event, ({ always }) => always));) this.#take(steps, event)
  }

  #find(event: LifeEvent, getTransitions: (state: LifeState) => readonly Transition[] | undefined): Step[] | undefined {
    let steps: Step[] | undefined
    for (const region of REGIONS) {
      for (const transition of getTransitions(this.#getState(region)) ?? []) {
        if (transition.if && !transition.if(this.context, event, this.value)) continue
        ;(steps ??= []).push({ region, transition })
        break
      }
    }
    return steps
  }

  /** First all exits, then the actions of all transitions, which see the new states, then all entries. */
  #take(steps: readonly Step[], event: LifeEvent): void {
    for (const { region, transition } of steps) if (transition.to) this.#do(this.#getState(region).exit, event)
    for (const { region, transition } of steps) Object.assign(this.value, transition.to && { [region]: transition.to })
    for (const { transition } of steps) this.#do(transition.do, event)
    for (const { region, transition } of steps) if (transition.to) this.#do(this.#getState(region).entry, event)
  }

  #getState(region: Region): LifeState {
    return TABLE[region][this.value[region]]!
  }

  #do(actions: readonly Action[] | undefined, event: LifeEvent): void {
    if (!actions) return
    for (const name of actions) {
      const change = OWN[name]
      if (change) Object.assign(this.context, change(this.context, event))
      else for (const effects of this.context.effects) effects[name as EffectName]?.(this.context, event)
    }
  }
}
