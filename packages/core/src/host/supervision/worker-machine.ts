// The life of one worker as the host sees it: starting → running → backingOff → starting … | draining → stopped | failed. Each
// time that it is started it is another thread, with nothing of the one before.
import { BusError } from '@sallyport/protocol'
import { type AnyStateMachine, assign, sendTo, setup } from 'xstate'
import { nextRestart, NO_RESTARTS, type RestartHistory, type WorkerState } from './policy.js'
import { type Restart, type ThreadEvent, thread as threadLogic, type ThreadSpec } from './worker-actor.js'

/** After the time that a worker was given to drain, the time until it is ended from outside. */
const GRACE_MS = 500
/** From then on a thread that still has not ended is in a built-in function that nothing interrupts, perhaps for good. */
const LOST_MS = 5000
/** What a thread that is started again is given to be ready, or ten times what it took at first where that is more. */
const START_MS = 60_000

export interface ThreadInput {
  spec: ThreadSpec
  now(): number
  /** From 0 to 1. */
  random(): number
}

export interface ThreadContext extends ThreadInput {
  /** What the last thread has ended with. */
  death: Error | undefined
  /** Why no other follows. */
  error: Error | undefined
  /** Milliseconds that it is given to drain. */
  timeout: number
  begun: number
  /** Milliseconds that the first thread took to be ready, once it was. */
  took: number | undefined
  history: RestartHistory
  /** How often another thread had, or has, to follow: by itself or because somebody asked for it. */
  downs: number
  /** Why, at last; `undefined` where somebody asked for it. */
  down: Restart | undefined
}

const getGrace = ({ spec: { grace = GRACE_MS } }: ThreadContext): number => grace

const getError = (event: ThreadEvent): Error | undefined => ('error' in event ? event.error : undefined)

const getStartLimit = ({ took = 0 }: ThreadContext): number => Math.max(START_MS, Math.round(10 * took))

function mayRestart({ spec, history, took, error, now, random }: ThreadContext): boolean {
  const { restart } = spec.supervision
  if (spec.waits && error) return false
  if (took === undefined || restart === 'temporary' || (restart === 'transient' && !error)) return false
  return nextRestart(history, spec.supervision, now(), random()) !== undefined
}

const machine = setup({
  types: {} as { context: ThreadContext; input: ThreadInput; events: ThreadEvent },
  actors: { thread: threadLogic },
  delays: {
    grace: ({ context }) => getGrace(context),
    patience: ({ context }) => context.timeout + getGrace(context),
    hope: ({ context }) => context.timeout + getGrace(context) + LOST_MS,
    backOff: ({ context }) => context.history.delay,
    startLimit: ({ context }) => getStartLimit(context),
  },
  actions: {
    keepDeath: assign(({ context: { spec }, event }) => {
      const { restart } = spec.supervision
      const own =
        restart === 'permanent' ? new BusError('InternalError', `${spec.name} has ended by itself`) : undefined
      const error = getError(event) ?? own
      return { death: error, error }
    }),
    keepEarlyDeath: assign(({ context: { spec }, event }) => {
      const error = getError(event) ?? new BusError('InternalError', `${spec.name} ended before it was ready`)
      return { death: error, error }
    }),
    keepReady: assign(({ context: { took, begun, now } }) => ({ took: took ?? now() - begun })),
    keepLateness: assign(({ context }) => {
      const text = `${context.spec.name} was started again, and is not ready after ${getStartLimit(context)} ms`
      const error = new BusError('Timeout', text)
      return { error, death: error }
    }),
    keepError: assign(({ event }) => ({ error: getError(event), death: getError(event) })),
    keepReason: assign(({ event }) => ({ error: getError(event), death: undefined })),
    keepTimeout: assign(({ event }) => (event.type === 'stop' ? { timeout: event.timeout } : {})),
    countRestart: assign(({ context: { history: before, spec, now, random, downs, error } }) => {
      const history = nextRestart(before, spec.supervision, now(), random())!
      return { history, downs: downs + 1, down: { error: error!, restarts: history.count, delay: history.delay } }
    }),
    countWait: assign(({ context: { history, downs, error } }) => ({
      downs: downs + 1,
      down: { error: error!, restarts: history.count, delay: undefined },
    })),
    countReload: assign(({ context: { downs } }) => ({ downs: downs + 1, down: undefined })),
    forgetError: assign({ error: undefined, death: undefined }),
    nameLimit: assign(({ context: { spec, history, error } }) => {
      const { intensity, period } = spec.supervision
      if (!error || history.recent.length < intensity || intensity === 0) return {}
      const often = `${spec.name} has ended ${intensity + 1} times within ${period} ms`
      return { error: new BusError('InternalError', `${often}, at last so: ${error.message}`, { cause: error }) }
    }),
    giveUp: assign(({ context: { spec } }) => {
      const text = `${spec.name} does not end: its thread is in a function that can’t be interrupted`
      const error = new BusError('Timeout', text)
      return { error, death: error }
    }),
    tellUnended: ({ context: { spec } }) => spec.onUnended(),
    kill: sendTo('thread', { type: 'kill' }),
    askToStop: sendTo('thread', ({ context }) => ({ type: 'stop', timeout: context.timeout })),
    post: sendTo('thread', ({ event }) => event),
  },
  guards: {
    mustBeReady: ({ context: { spec, took } }) => spec.startsAlone === true && took !== undefined,
    isAsked: ({ context }) => context.spec.grace !== undefined,
    mayRestart: ({ context }) => mayRestart(context),
    mustWait: ({ context: { spec, took, error } }) => spec.waits === true && took !== undefined && error !== undefined,
    endedWell: ({ context }) => context.error === undefined,
    exitedWell: ({ event }) => getError(event) === undefined,
  },
}).createMachine({
  id: 'thread',
  context: ({ input }) => ({
    ...input,
    death: undefined,
    error: undefined,
    timeout: 0,
    begun: input.now(),
    took: undefined,
    history: NO_RESTARTS,
    downs: 0,
    down: undefined,
  }),
  initial: 'alive',
  // However long the thread takes to go: leaving `alive` terminates it.
  on: { fail: { target: '.failed', actions: 'keepReason' } },
  states: {
    alive: {
      invoke: { id: 'thread', src: 'thread', input: ({ context }) => context.spec },
      on: { post: { actions: 'post' }, stop: { target: '.draining', actions: 'keepTimeout' } },
      initial: 'starting',
      states: {
        starting: {
          after: { startLimit: { target: '#thread.ended', guard: 'mustBeReady', actions: 'keepLateness' } },
          on: {
            'thread.ready': { target: 'running', actions: 'keepReady' },
            'thread.exited': { target: '#thread.ended', actions: 'keepEarlyDeath' },
            end: [
              { target: 'leaving', guard: 'isAsked', actions: 'keepEarlyDeath' },
              { target: '#thread.ended', actions: 'keepEarlyDeath' },
            ],
            dismiss: { target: '#thread.ended', actions: 'keepEarlyDeath' },
            reload: 'reloading',
          },
        },
        running: {
          on: {
            'thread.exited': { target: '#thread.ended', actions: 'keepDeath' },
            end: [
              { target: 'leaving', guard: 'isAsked', actions: 'keepDeath' },
              { target: '#thread.ended', actions: 'keepDeath' },
            ],
            dismiss: { target: 'leaving', actions: 'keepDeath' },
            reload: 'reloading',
          },
        },
        reloading: {
          entry: 'askToStop',
          after: { grace: '#thread.reloaded' },
          on: { 'thread.exited': '#thread.reloaded' },
        },
        leaving: {
          entry: 'askToStop',
          after: { grace: '#thread.ended' },
          on: { 'thread.exited': '#thread.ended', reload: 'reloading' },
        },
        draining: {
          entry: 'askToStop',
          after: {
            patience: { actions: ['kill', 'tellUnended'] },
            hope: { target: '#thread.failed', actions: 'giveUp' },
          },
          on: {
            // Its time to drain is counted from the first stop.
            stop: {},
            'thread.exited': [
              { target: '#thread.stopped', guard: 'exitedWell' },
              { target: '#thread.failed', actions: 'keepError' },
            ],
            end: { target: '#thread.failed', actions: 'keepError' },
          },
        },
      },
    },
    ended: {
      always: [
        { target: 'backingOff', guard: 'mayRestart', actions: 'countRestart' },
        { target: 'waiting', guard: 'mustWait', actions: 'countWait' },
        { target: 'stopped', guard: 'endedWell' },
        { target: 'failed', actions: 'nameLimit' },
      ],
    },
    backingOff: { after: { backOff: 'alive' }, on: { stop: 'stopped', reload: 'alive' } },
    waiting: { on: { stop: 'stopped', reload: 'alive' }, exit: 'forgetError' },
    reloaded: { always: { target: 'alive', actions: ['countReload', 'forgetError'] } },
    stopped: { type: 'final', entry: assign({ error: undefined }) },
    failed: { type: 'final' },
  },
})

/** What the supervisor sees of it. */
export interface ThreadSnapshot {
  readonly status: string
  readonly context: ThreadContext
  readonly value: string | { readonly alive?: string }
  matches(state: 'alive' | { alive: 'starting' | 'running' }): boolean
}

/** For whoever looks at it. */
export function getState(snapshot: ThreadSnapshot): WorkerState {
  const { value } = snapshot
  // `ended` and `reloaded` are left at once.
  return (typeof value === 'object' ? value.alive : value) as WorkerState
}

export const threadMachine: AnyStateMachine = machine
