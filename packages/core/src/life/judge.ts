// What a life knows and hears, the changes of its table, and why its code has ended (`judge`), from what the one author of that end knows, which does
// not depend on the order in which it became known.
import { FRONTEND_PROCESS, getWorkerName, SCRIPT_PROCESS } from '@sallyport/protocol/internal/contract'
import { BusError, type BusErrorReason, isUnsentError } from '@sallyport/protocol/internal/errors'
import { nextRestart, NO_RESTARTS, type RestartHistory, type SupervisionConfig } from './policy.js'

/** The error of a worker whose thread has ended because of another worker in it. */
export class NeighborFault extends BusError {}

/** The one report that code has ended, by who started it. */
export interface Obituary {
  /** False if it was started ahead, and ended before the user's code began in it. */
  readonly ranCode: boolean
  /**
   * By the code's own order: `itself`: it had not taken the order to stop; `order`: it had; `force`: it was terminated; `parent`: its thread
   * ended; `nobody`: it could not be ended, and is abandoned.
   */
  readonly by: 'itself' | 'order' | 'force' | 'parent' | 'nobody'
  /** Its own words: it threw, failed, or ran out of memory. */
  readonly error?: Error | undefined
  readonly code?: number | undefined
}

/** Returns the error of an end, which names who has ended. @param what - the rest of the sentence */
export const createEnd = (name: string, reason: BusErrorReason, what: string, data?: object): BusError =>
  new BusError(reason, `${name} ${what}`, data && { data })

/** What the host wants of the code. It only rises. */
export type Goal = 'none' | 'fail' | 'reload' | 'stop'

type Trial = Pick<LifeContext, 'name' | 'goal' | 'sentence' | 'hasRun' | 'obstacle' | 'isDraining'> & {
  readonly supervision: Pick<SupervisionConfig, 'restart'>
}

/** Returns why code ended, or `undefined` if it ended as it should. What it says of itself comes first, and that something was lost last. */
export function judge({ by, error, code }: Obituary, trial: Trial): Error | undefined {
  const { name, goal, sentence, hasRun, obstacle = '', supervision } = trial
  const isStop = goal === 'stop'
  // Why the host has ended it says more than that something was lost with it.
  const isForSentence = sentence && !isStop && by !== 'itself'
  if (error && !(isForSentence && isUnsentError(error))) return error
  if (by === 'nobody' && (isStop || !sentence))
    return createEnd(name, 'Timeout', `did not exit after it was terminated: ${obstacle}`)
  if (isStop) return undefined
  if (by !== 'itself') return sentence
  if (goal === 'reload' || code === undefined) return undefined
  if (code !== 0) return createEnd(name, 'Crashed', `exited with code ${code}`)
  if (!hasRun) return createEnd(name, 'Crashed', 'exited before it was ready')
  const wasToRunOn = supervision.restart === 'permanent' && !trial.isDraining()
  return wasToRunOn ? createEnd(name, 'Crashed', 'exited unexpectedly') : undefined
}

export interface RuntimeEnd {
  /** A clause for error texts: `it ran out of memory`. */
  readonly why: string
  readonly error: Error | undefined
  /** False if it was started ahead, and ended before the code began. */
  readonly ranCode: boolean
}

export function describeEnd(label: string, error: Error | undefined, obituary?: Obituary): RuntimeEnd {
  const { ranCode = true, code } = obituary ?? {}
  if (!error) return { why: `it exited with code ${code}`, error, ranCode }
  const subject = [getWorkerName('frontend', label), FRONTEND_PROCESS, SCRIPT_PROCESS].find(each =>
    error.message.startsWith(each),
  )
  const why = subject === undefined ? `it failed: ${error.message}` : `it${error.message.slice(subject.length)}`
  return { why, error, ranCode }
}

/**
 * - `READY`, `OBITUARY`: by the author of the code
 * - `SENTENCE`: the host wants other code; `isBlocked` if this does not take orders
 * - `RELOAD`, `STOP`, `FAIL`: by the host; `FAIL` waits for nothing
 * - `SILENT`: it runs on and does not take the order to stop, or its time is over
 * - `ELAPSED`: the delay of a restart; `JOIN`: the code of a page has come
 * - `CORE.…`, `GATE.…`: of the other lives; `START`: the opener lets the code start
 * - `LINK.…`: of a link, by core or the gate. `LINK.DROPPED`: the session of a remote core has ended. `LINK.ANSWERED`: the code and its gate run,
 *   although the link between them has ended
 */
export type EventName =
  | ('start' | 'READY' | 'SENTENCE' | 'OBITUARY' | 'SILENT' | 'ELAPSED' | 'RELOAD' | 'STOP' | 'FAIL' | 'JOIN' | 'START')
  | ('CORE.UP' | 'CORE.DOWN' | 'GATE.UP' | 'GATE.READY' | 'GATE.ENDING' | 'GATE.DOWN')
  | ('LINK.ATTACHED' | 'LINK.ANSWERED' | 'LINK.DROPPED' | 'LINK.ENDED' | 'LINK.VIOLATED')

export interface LifeEvent {
  readonly type: EventName
  readonly obituary?: Obituary
  readonly error?: Error
  readonly isBlocked?: boolean
  readonly link?: number
  readonly timeout?: number
}

/**
 * What the owners of a life do: everything else is decided here. The first are of the code, the others of the links of a frontend. The code has ended at
 * `renew` and `backOff`, which other code follows, and at `wait`, `leave` and `exit`. `over` comes once, when the last link is given up, too.
 */
export type EffectName =
  | ('spawn' | 'ready' | 'askToStop' | 'kill' | 'rest' | 'backOff' | 'wait' | 'renew' | 'leave' | 'exit' | 'over')
  | ('opened' | 'offer' | 'handOver' | 'detach' | 'forget' | 'drop' | 'ask' | 'stopAsking' | 'replace')
export type Effects = Readonly<Record<EffectName, (context: LifeContext, event?: LifeEvent) => void>>

export interface LifeInput {
  readonly name: string
  readonly supervision: SupervisionConfig
  /** Of each of its owners, who act in this order. */
  readonly effects: readonly Partial<Effects>[]
  now(): number
  random(): number
  /** True once the bus ends: nothing restarts then. */
  isDraining(): boolean
  /** True while the opener waits: an error is final then, because the opener gets it. */
  isOpening?(): boolean
  /** Returns the number of the next link. */
  nextLink?(): number
  /** True if a call of the current code, or to it, has succeeded. */
  hasServed?(): boolean
  /** It cannot get another link than the first one. */
  readonly keepsLink?: boolean | undefined
  /** True if what its only link needs is used or gone. */
  isSpent?(): boolean
  /** In development: after an error it waits for a reload. */
  readonly waitsAfterError?: boolean | undefined
  /** Its messages pass a gate. */
  readonly isIsolated?: boolean | undefined
  /** It needs no start, and core announces it when it has its link. */
  readonly isRunning?: boolean | undefined
  /** Its code comes and goes. */
  readonly isPage?: boolean | undefined
  readonly obstacle?: string | undefined
}

/** What the owner of a life says of it. */
export type LifeTerms = Omit<LifeInput, 'now' | 'random' | 'isDraining'> & Partial<Pick<LifeInput, 'isDraining'>>

export interface LifeContext extends LifeInput {
  /** Number of the current code, and of the current link. */
  readonly run: number
  readonly link: number
  readonly goal: Goal
  readonly sentence: Error | undefined
  readonly obituary: Obituary | undefined
  /** Why there is other code or none; and the same if it is the code's own end. */
  readonly error: Error | undefined
  readonly exitError: Error | undefined
  /** Codes in a row that were started ahead and ended before they began. What they start with can be what they die of. */
  readonly unborn: number
  readonly history: RestartHistory
  readonly hasRun: boolean
  readonly readyAt: number
  readonly everRan: boolean
  /** The code has had a link. */
  readonly hasBegun: boolean
  readonly isOver: boolean
  readonly stopTimeout: number
}

/** How a life has ended. */
export interface WorkerExit {
  /** Why the worker is not restarted; `undefined` if it stopped as it should. */
  error: Error | undefined
  /** The thread's own last error; `undefined` if the worker was failed by something outside of it. */
  exitError: Error | undefined
  /** The thread's exit code; `undefined` for a thread that was not waited for. */
  code?: number | undefined
}

export const getExit = ({ error, exitError, obituary }: LifeContext): WorkerExit => ({
  error,
  exitError: error && exitError,
  code: obituary?.code,
})

export type Change = (context: LifeContext, event: LifeEvent) => Partial<LifeContext>

const RANK: Record<Goal, number> = { none: 0, fail: 1, reload: 2, stop: 3 }
const higher = (goal: Goal, next: Goal): Goal => (RANK[next] > RANK[goal] ? next : goal)

/** Code that fails as it starts ends so on each machine. Code that nobody calls is not judged by its calls alone. */
const isEarly = ({ hasRun, hasServed, now, readyAt, supervision }: LifeContext): boolean =>
  !hasRun || (hasServed?.() !== true && now() - readyAt < supervision.period)

export function getNext(c: LifeContext): RestartHistory | undefined {
  const end = { isOwnFault: !(c.error instanceof NeighborFault), isEarly: isEarly(c) }
  return nextRestart(c.history, end, c.supervision, c.now(), c.random())
}

const UNJUDGED = { sentence: undefined, obituary: undefined, error: undefined, exitError: undefined } as const

export type ChangeName =
  | ('born' | 'ran' | 'record' | 'sentence' | 'wantReload' | 'wantStop' | 'doom')
  | ('forgive' | 'count' | 'endRow' | 'describe' | 'newLink' | 'begin' | 'finish' | 'end')

export const CHANGES: Readonly<Record<ChangeName, Change>> = {
  // An error keeps its stack's closures alive, and with them the thread that has ended and its ports.
  born: c => ({ ...UNJUDGED, run: c.run + 1, goal: 'none', hasRun: false }),
  ran: c => ({ hasRun: true, readyAt: c.now(), everRan: true, unborn: 0 }),
  record: (c, { obituary }) => {
    const error = judge(obituary!, c)
    return { obituary, error, exitError: error, unborn: obituary!.ranCode ? c.unborn : c.unborn + 1 }
  },
  sentence: (c, e) => ({ sentence: c.sentence ?? e.error, goal: higher(c.goal, 'fail'), stopTimeout: 0 }),
  wantReload: (c, { timeout = 0 }) => ({ goal: higher(c.goal, 'reload'), stopTimeout: timeout }),
  wantStop: (_, { timeout = 0 }) => ({ goal: 'stop', stopTimeout: timeout }),
  doom: (_, e) => ({ error: e.error, exitError: undefined }),
  forgive: () => UNJUDGED,
  count: c => ({ history: getNext(c)! }),
  /** Another code follows in its place, which is no restart: a row of crashes ends. */
  endRow: c => ({ history: { ...c.history, early: 0 } }),
  describe: c => {
    const { name, error, history, supervision } = c
    const { intensity, period } = supervision
    if (!error || intensity === 0 || getNext(c)) return {}
    const isRow = isEarly(c) && history.early >= intensity
    const when = isRow ? 'in a row before it had served anything' : `within ${period} ms`
    const failed = `${name} failed ${intensity + 1} times ${when} and will not be restarted`
    return { error: new BusError('Crashed', `${failed}. Last error: ${error.message}`, { cause: error }) }
  },
  newLink: c => ({ link: c.nextLink?.() ?? c.link + 1 }),
  begin: () => ({ hasBegun: true }),
  finish: () => ({ hasBegun: false }),
  end: () => ({ isOver: true }),
}

export const createContext = (input: LifeInput): LifeContext => ({
  run: 0,
  link: 0,
  goal: 'none',
  sentence: undefined,
  obituary: undefined,
  error: undefined,
  exitError: undefined,
  unborn: 0,
  history: NO_RESTARTS,
  hasRun: false,
  readyAt: 0,
  everRan: false,
  hasBegun: false,
  isOver: false,
  stopTimeout: 0,
  ...input,
})
