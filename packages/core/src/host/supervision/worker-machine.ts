// The state machine of one supervised worker: starting → running → backingOff → starting … | draining → stopped | failed.
// Each start spawns a new thread, which keeps nothing of the previous one.
import { BusError } from '@sallyport/protocol/internal/errors'
import { type ActorRefFrom, type AnyStateMachine, assign, sendTo, setup } from 'xstate'
import { judge, NeighborFault } from './judge.js'
import { nextRestart, NO_RESTARTS, type RestartHistory } from './policy.js'
import {
  createThreadStatus,
  type Restart,
  type ThreadInput,
  workerActor,
  type WorkerEvent,
  type WorkerSpec,
} from './worker-actor.js'

/** Default time to exit, after the time to drain, before a thread is terminated. */
export const STOP_TIMEOUT_MS = 500
/** `terminate()` cannot interrupt native code. After this time the thread is abandoned. */
export const ABANDON_TIMEOUT_MS = 5000
/** Time for a restarted thread to be ready; ten times the first start-up, if that is longer. */
const MIN_START_TIMEOUT_MS = 60_000

export interface WorkerInput {
  spec: WorkerSpec
  now(): number
  /** Returns a number from 0 to 1. */
  random(): number
  /** True once the bus ends: no worker restarts then. */
  isDraining(): boolean
}

export interface WorkerContext extends WorkerInput, ThreadInput {
  /** The last thread's own error. */
  exitError: Error | undefined
  /** Why the worker restarts, waits or has failed. */
  error: Error | undefined
  /** Why the host wants another thread. */
  sentence: Error | undefined
  drainTimeout: number
  startedAt: number
  /** Milliseconds that the first thread took to be ready; `undefined` until then. */
  startupMs: number | undefined
  history: RestartHistory
  /** Number of threads that needed a successor: restarts, waits and reloads. */
  generation: number
  /** The latest restart; `undefined` after a reload. */
  restart: Restart | undefined
  /** Spares that died while they were taken, since a thread was ready. */
  lostSpares: number
}

/** Spares that are replaced one after the other: what they start with can be what they die of. */
const MAX_LOST_SPARES = 3

const getStopTimeout = ({ spec: { stopTimeout = STOP_TIMEOUT_MS } }: WorkerContext): number => stopTimeout
const getKillTimeout = (context: WorkerContext): number => context.drainTimeout + getStopTimeout(context)
const getStartTimeout = ({ startupMs = 0 }: WorkerContext): number =>
  Math.max(MIN_START_TIMEOUT_MS, Math.round(10 * startupMs))

/** Records an error that is both the thread's own and the reason for what follows. */
const failWith = (error: Error | undefined): Partial<WorkerContext> => {
  return { error, exitError: error, sentence: undefined }
}

export function createAbandonedError({ name, stopTimeout }: WorkerSpec): BusError {
  const cause =
    stopTimeout === undefined ? 'its thread is stuck in native code' : 'the system has not ended its process'
  return new BusError('Timeout', `${name} did not exit after it was terminated: ${cause}`)
}

const hasStarted = ({ spec, startupMs }: WorkerContext): boolean => startupMs !== undefined && !spec.isOpening?.()

const countOne = ({ spec, history, error, now, random }: WorkerContext): RestartHistory | undefined =>
  nextRestart(history, !(error instanceof NeighborFault), spec.supervision, now(), random())

function canRestart(context: WorkerContext): boolean {
  const { spec, error } = context
  const { restart } = spec.supervision
  if (context.isDraining()) return false
  if (spec.waitsAfterError && error) return false
  if (!hasStarted(context) || restart === 'temporary' || (restart === 'transient' && !error)) return false
  return countOne(context) !== undefined
}

/** True for a spare that has died while it was taken. None of the worker's code has run. */
const isUnusedSpare = (context: WorkerContext, event: WorkerEvent): boolean =>
  event.type === 'thread.exited' &&
  !event.obituary.ranCode &&
  context.lostSpares < MAX_LOST_SPARES &&
  !context.isDraining()

/** What a thread that takes messages handles. */
const whileUp = {
  terminate: [
    { target: 'leaving', guard: 'hasStopTimeout', actions: 'recordSentence' },
    { target: '#worker.ended', actions: ['recordSentence', 'carryOut'] },
  ],
  dismiss: { target: 'leaving', actions: 'recordSentence' },
  reload: 'reloading',
} as const

/** What each state of the end of a thread handles. */
const whileEnding = {
  // A second `stop` must not restart the timeouts.
  stop: {},
  'thread.silent': 'killing',
  'thread.exited': [
    { target: '#worker.stopped', guard: 'exitedCleanly' },
    { target: '#worker.failed', actions: 'recordExit' },
  ],
  terminate: [
    // The thread of a relay must outlive its process, which it is already ending.
    { guard: 'hasStopTimeout' },
    { target: '#worker.failed', actions: ['recordSentence', 'carryOut'] },
  ],
} as const

const machine = setup({
  types: {} as { context: WorkerContext; input: WorkerInput; events: WorkerEvent },
  actors: { thread: workerActor },
  delays: {
    stopTimeout: ({ context }) => getStopTimeout(context),
    killTimeout: ({ context }) => getKillTimeout(context),
    abandonTimeout: ABANDON_TIMEOUT_MS,
    backOff: ({ context }) => context.history.delay,
    startTimeout: ({ context }) => getStartTimeout(context),
  },
  actions: {
    recordExit: assign(({ context: { spec, sentence, isDraining }, event }) => {
      if (event.type !== 'thread.exited') return {}
      const isPermanent = spec.supervision.restart === 'permanent' && !isDraining()
      return failWith(judge(event.obituary, { name: spec.name, sentence, isPermanent }))
    }),
    recordStartTimeout: assign(({ context }) => {
      const message = `${context.spec.name} restarted and was not ready after ${getStartTimeout(context)} ms`
      return failWith(new BusError('Timeout', message))
    }),
    recordSentence: assign(({ event }) => {
      if (event.type !== 'terminate' && event.type !== 'dismiss') return {}
      return { sentence: event.error }
    }),
    carryOut: assign(({ context: { sentence } }) => failWith(sentence)),
    recordExternalError: assign(({ event }) => ('error' in event ? { error: event.error, exitError: undefined } : {})),
    recordAbandoned: assign(({ context }) => failWith(createAbandonedError(context.spec))),
    // An error keeps its stack's closures alive, and with them the thread that exited and its ports.
    recordStartup: assign(({ context: { startupMs, startedAt, now } }) => ({
      ...failWith(undefined),
      startupMs: startupMs ?? now() - startedAt,
      restart: undefined,
      lostSpares: 0,
    })),
    recordDrainTimeout: assign(({ event }) => (event.type === 'stop' ? { drainTimeout: event.timeout } : {})),
    countRestart: assign(({ context }) => {
      const history = countOne(context)!
      const restart: Restart = { error: context.error!, restarts: history.count, delay: history.delay }
      return { history, generation: context.generation + 1, restart }
    }),
    countWait: assign(({ context: { history, generation, error } }) => ({
      generation: generation + 1,
      restart: { error: error!, restarts: history.count, delay: undefined },
    })),
    countReload: assign(({ context: { generation } }) => ({ generation: generation + 1, restart: undefined })),
    countLostSpare: assign(({ context }) => ({ lostSpares: context.lostSpares + 1 })),
    clearError: assign(failWith(undefined)),
    describeIntensity: assign(({ context: { spec, history, error } }) => {
      const { intensity, period } = spec.supervision
      if (!error || history.recent.length < intensity || intensity === 0) return {}
      const failed = `${spec.name} failed ${intensity + 1} times within ${period} ms and will not be restarted`
      return { error: new BusError('Crashed', `${failed}. Last error: ${error.message}`, { cause: error }) }
    }),
    reportKilled: ({ context: { spec } }) => spec.onKilled(),
    kill: sendTo('thread', { type: 'kill' }),
    requestStop: sendTo('thread', ({ context }) => ({ type: 'stop', timeout: context.drainTimeout })),
  },
  guards: {
    isRestart: ({ context: { spec, startupMs } }) => spec.hasStartTimeout === true && startupMs !== undefined,
    hasStopTimeout: ({ context }) => context.spec.stopTimeout !== undefined,
    canRestart: ({ context }) => canRestart(context),
    waitsAfterError: ({ context }) =>
      context.spec.waitsAfterError === true &&
      !context.isDraining() &&
      hasStarted(context) &&
      context.error !== undefined,
    isBusOpen: ({ context }) => !context.isDraining(),
    hasNoError: ({ context }) => context.error === undefined,
    exitedCleanly: ({ event }) => event.type === 'thread.exited' && event.obituary.error === undefined,
    isUnusedSpare: ({ context, event }) => isUnusedSpare(context, event),
  },
}).createMachine({
  id: 'worker',
  context: ({ input }) => ({
    ...input,
    status: createThreadStatus(),
    exitError: undefined,
    error: undefined,
    sentence: undefined,
    drainTimeout: 0,
    startedAt: input.now(),
    startupMs: undefined,
    history: NO_RESTARTS,
    generation: 0,
    restart: undefined,
    lostSpares: 0,
  }),
  initial: 'alive',
  // Leaving `alive` terminates the thread and does not wait for its exit.
  on: { fail: { target: '.failed', actions: 'recordExternalError' } },
  states: {
    alive: {
      // Not the whole context, whose error would keep the previous thread alive.
      invoke: {
        id: 'thread',
        src: 'thread',
        input: ({ context: { spec, status, isDraining } }) => ({ spec, status, isDraining }),
      },
      on: { stop: { target: '.draining', actions: 'recordDrainTimeout' } },
      initial: 'starting',
      states: {
        starting: {
          after: { startTimeout: { target: '#worker.ended', guard: 'isRestart', actions: 'recordStartTimeout' } },
          on: {
            'thread.ready': { target: 'running', actions: 'recordStartup' },
            'thread.exited': [
              { target: '#worker.reloaded', guard: 'isUnusedSpare', actions: 'countLostSpare' },
              { target: '#worker.ended', actions: 'recordExit' },
            ],
            ...whileUp,
          },
        },
        running: {
          on: {
            'thread.exited': { target: '#worker.ended', actions: 'recordExit' },
            ...whileUp,
          },
        },
        reloading: {
          entry: 'requestStop',
          after: { stopTimeout: '#worker.reloaded' },
          on: { 'thread.exited': '#worker.reloaded', 'thread.silent': '#worker.reloaded' },
        },
        leaving: {
          entry: 'requestStop',
          after: { stopTimeout: { target: '#worker.ended', actions: 'carryOut' } },
          on: {
            'thread.exited': [
              { target: '#worker.reloaded', guard: 'isUnusedSpare', actions: 'countLostSpare' },
              { target: '#worker.ended', actions: 'recordExit' },
            ],
            'thread.silent': { target: '#worker.ended', actions: 'carryOut' },
            reload: 'reloading',
          },
        },
        draining: {
          entry: 'requestStop',
          after: { killTimeout: 'killing' },
          on: whileEnding,
        },
        killing: {
          entry: ['kill', 'reportKilled'],
          after: { abandonTimeout: { target: '#worker.failed', actions: 'recordAbandoned' } },
          on: whileEnding,
        },
      },
    },
    ended: {
      always: [
        { target: 'backingOff', guard: 'canRestart', actions: 'countRestart' },
        { target: 'waiting', guard: 'waitsAfterError', actions: 'countWait' },
        { target: 'stopped', guard: 'hasNoError' },
        { target: 'failed', actions: 'describeIntensity' },
      ],
    },
    backingOff: {
      after: { backOff: { target: 'alive', guard: 'isBusOpen' } },
      on: { stop: 'stopped', reload: 'alive' },
    },
    waiting: { on: { stop: 'stopped', reload: 'alive' }, exit: 'clearError' },
    reloaded: { always: { target: 'alive', actions: ['countReload', 'clearError'] } },
    stopped: { type: 'final', entry: assign({ error: undefined }) },
    failed: { type: 'final' },
  },
})

/** @internal */
export type WorkerMachineActor = ActorRefFrom<typeof machine>

/** @internal */
export const workerMachine: AnyStateMachine = machine
