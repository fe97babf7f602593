// The host's supervisor, as an actor, with one child actor per worker: each starting → running → draining → stopped |
// failed. Core's failure is the bus's; any other worker fails for itself.
import { BusError } from '@sallyport/protocol'
import type { TransferListItem } from 'node:worker_threads'
import { assign, createActor, enqueueActions, sendTo, setup, stopChild, type ActorRefFrom } from 'xstate'
import { thread as threadLogic, type ThreadEvent, type ThreadExit, type ThreadSpec } from './thread.js'

export type BusState = 'starting' | 'running' | 'draining' | 'stopped' | 'failed'

/** After the time that a worker was given to drain, the time until it is ended from outside. */
const GRACE_MS = 500
/** From then on a thread that still has not ended is in a built-in function that nothing interrupts, perhaps for good. */
const LOST_MS = 5000

const graceOf = ({ grace = GRACE_MS }: ThreadSpec): number => grace

const earlyEnd = (name: string): Error => new BusError('InternalError', `${name} ended before it was ready`)

const lost = (name: string): Error =>
  new BusError('Timeout', `${name} does not end: its thread is in a function that can’t be interrupted`)

const threadMachine = setup({
  types: {} as {
    context: ThreadExit & { spec: ThreadSpec; timeout: number }
    input: ThreadSpec
    events: ThreadEvent
  },
  actors: { thread: threadLogic },
  delays: {
    patience: ({ context }) => context.timeout + graceOf(context.spec),
    hope: ({ context }) => context.timeout + graceOf(context.spec) + LOST_MS,
  },
  actions: {
    keepError: assign({
      error: ({ context, event }) =>
        (event.type === 'thread.exited' || event.type === 'end' ? event.error : undefined) ??
        earlyEnd(context.spec.name),
    }),
    giveUp: assign({ error: ({ context }) => lost(context.spec.name) }),
  },
  guards: { endedWell: ({ event }) => event.type === 'thread.exited' && event.error === undefined },
}).createMachine({
  id: 'thread',
  context: ({ input }) => ({ spec: input, error: undefined, timeout: 0 }),
  initial: 'alive',
  states: {
    alive: {
      invoke: { id: 'thread', src: 'thread', input: ({ context }) => context.spec },
      on: {
        post: { actions: sendTo('thread', ({ event }) => event) },
        // However long the thread takes to go: leaving this state terminates it.
        end: { target: 'failed', actions: 'keepError' },
        stop: { target: '.draining', actions: assign({ timeout: ({ event }) => event.timeout }) },
        'thread.exited': [
          { target: 'stopped', guard: 'endedWell' },
          { target: 'failed', actions: 'keepError' },
        ],
      },
      initial: 'starting',
      states: {
        starting: {
          on: { 'thread.ready': 'running', 'thread.exited': { target: '#thread.failed', actions: 'keepError' } },
        },
        running: {},
        draining: {
          entry: sendTo('thread', ({ context }) => ({ type: 'stop', timeout: context.timeout })),
          after: {
            patience: { actions: sendTo('thread', { type: 'kill' }) },
            hope: { target: '#thread.failed', actions: 'giveUp' },
          },
          // Its time to drain is counted from the first stop.
          on: { stop: {} },
        },
      },
    },
    stopped: { type: 'final' },
    failed: { type: 'final' },
  },
})

type ThreadActor = ActorRefFrom<typeof threadMachine>

type SupervisorEvent =
  | { type: 'thread.start'; id: string; spec: ThreadSpec }
  | { type: 'core.ready' }
  | { type: 'core.failed' }
  | { type: 'drain' }
  | { type: 'ended' }
  | { type: `xstate.done.actor.${string}`; actorId: string }

const supervisorMachine = setup({
  types: {} as { context: object; events: SupervisorEvent },
  actors: { thread: threadMachine },
}).createMachine({
  id: 'supervisor',
  context: {},
  initial: 'starting',
  on: {
    'thread.start': {
      actions: enqueueActions(({ enqueue, event }) => {
        enqueue.spawnChild('thread', { id: event.id, input: event.spec })
      }),
    },
    // A child that has ended is let go: frontends come and go for as long as the bus lives.
    'xstate.done.actor.*': { actions: stopChild(({ event }) => event.actorId) },
  },
  states: {
    starting: { on: { 'core.ready': 'running', 'core.failed': 'failed', drain: 'draining' } },
    running: { on: { 'core.failed': 'failed', drain: 'draining' } },
    draining: { on: { ended: 'stopped' } },
    failed: { on: { drain: 'draining' } },
    stopped: { type: 'final' },
  },
})

/** A worker, as whoever started it sees it. */
export interface SupervisedThread {
  /** Rejects where the thread ends before it was ready. */
  readonly ready: Promise<void>
  /** Never rejects. */
  readonly exited: Promise<ThreadExit>
  post(message: unknown, transfer?: readonly TransferListItem[]): void
  /** Asks the thread to drain for at most `timeout` milliseconds, then ends it. Resolves once it has exited, or can't. */
  stop(timeout: number): Promise<ThreadExit>
  /** Ends the thread from outside, for this reason. It counts as exited at once. */
  end(error: Error): void
}

export interface Supervisor {
  readonly state: BusState
  /** Workers that have not ended. */
  readonly threads: number
  start(spec: ThreadSpec): SupervisedThread
  signal(event: 'core.ready' | 'core.failed' | 'drain' | 'ended'): void
}

export function createSupervisor(): Supervisor {
  const actor = createActor(supervisorMachine)
  let started = 0
  actor.start()
  return {
    get state(): BusState {
      return actor.getSnapshot().value
    },
    get threads(): number {
      return Object.keys(actor.getSnapshot().children).length
    },
    start(spec: ThreadSpec): SupervisedThread {
      const id = `${spec.name} #${++started}`
      actor.send({ type: 'thread.start', id, spec })
      return supervised(actor.getSnapshot().children[id] as ThreadActor)
    },
    signal: type => actor.send({ type }),
  }
}

function supervised(thread: ThreadActor): SupervisedThread {
  let becameReady: () => void
  let endedEarly: (error: Error) => void
  let ended: (exit: ThreadExit) => void
  const ready = new Promise<void>((resolve, reject) => {
    becameReady = resolve
    endedEarly = reject
  })
  ready.catch(() => {})
  const exited = new Promise<ThreadExit>(resolve => (ended = resolve))
  thread.subscribe({
    next: snapshot => snapshot.matches({ alive: 'running' }) && becameReady(),
    complete() {
      const { error } = thread.getSnapshot().context
      endedEarly(error ?? new BusError('Disconnected', 'The worker was stopped before it was ready'))
      ended({ error })
    },
  })
  // A thread may end while something is on its way to it.
  const send = (event: ThreadEvent): void => {
    if (thread.getSnapshot().status === 'active') thread.send(event)
  }
  return {
    ready,
    exited,
    post: (message, transfer = []) => send({ type: 'post', message, transfer }),
    async stop(timeout: number): Promise<ThreadExit> {
      send({ type: 'stop', timeout })
      return exited
    },
    end: error => send({ type: 'end', error }),
  }
}
