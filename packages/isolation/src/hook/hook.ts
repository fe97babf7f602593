// Judges messages with the user's hook. An answer is read once and checked; a thrown value is never read.
import { BusError } from '@sallyport/protocol/internal/errors'
import { DeadlineTimers } from '@sallyport/protocol/internal/util'
import { HOOK_NAME, type HookSandbox } from '../compartment/hook-sandbox.js'
import type { IsolationApp } from './isolation-app.js'
import { toLegacyMessage } from './legacy-messages.js'
import { type AnswerReader, type HookMessage, readVerdict, REJECT, type Verdict } from './verdict.js'

/** The user's function, in its sandbox. It can return anything. */
export type HookFunction = (message: unknown) => unknown

/**
 * Handles the verdict on a message before more of the hook's code can run. `isLate` is true if the hook's answer was a promise: the
 * hook's code runs again before code that awaits the result.
 */
export type VerdictHandler<Result> = (verdict: Verdict, isLate: boolean) => Result

/** Judges one message. Returns the result of `handle`, as a promise only if the hook's answer was one. The promise never rejects. */
export type Hook = <Result>(message: HookMessage, handle: VerdictHandler<Result>) => Result | Promise<Result>

export interface CreateHookOptions {
  /** Milliseconds that an asynchronous hook can take. @default 30000 */
  deadline?: number
  /** Shows messages in the format of older examples (`payload.message.cmd`): see `toLegacyMessage`. */
  legacyMessages?: boolean
}

/** Hooks time out at most this much later than their deadline, so that a message needs no timer of its own. */
const DEADLINE_STEP_MS = 10

/** Returns the hook that the scripts have set. Its `this` is `window`. `null` means, as in Tauri, that every message passes. */
export function findHook(sandbox: HookSandbox, app: IsolationApp): HookFunction | null {
  const scripts = app.scripts.map(script => script.name).join(', ')
  let hook: unknown
  try {
    hook = sandbox.readHook()
  } catch {
    throw new BusError('InvalidParams', `Isolation app: ${scripts}: window.${HOOK_NAME} cannot be read`)
  }
  if (hook === null) return null
  if (typeof hook === 'function') return message => Reflect.apply(hook, sandbox.window, [message]) as unknown
  const problem = hook === undefined ? `set no window.${HOOK_NAME}` : `set window.${HOOK_NAME} to a ${typeof hook}`
  throw new BusError('InvalidParams', `Isolation app: ${scripts} ${problem}: it must be a function, or null`)
}

/**
 * Creates a judge from the user's hook, or from `null`, which passes every message.
 *
 * `null`, `undefined`, a throw, a rejection and a missed deadline reject the message. The hook can change `cmd`, `payload` and
 * `options`, in place or in a new object. `callback` and `error` are not read back.
 */
export function createHook(judge: HookFunction | null, options: CreateHookOptions = {}): Hook {
  if (judge === null) return (message, handle) => handle({ kind: 'pass', message }, false)
  const { deadline = 30_000, legacyMessages = false } = options
  const deadlines = new DeadlineTimers<() => void>(DEADLINE_STEP_MS, expire => expire())
  return function judgeMessage(message, handle) {
    const legacy = legacyMessages ? toLegacyMessage(message) : undefined
    let answer: unknown
    let then: unknown
    try {
      answer = judge(legacy === undefined ? message : legacy.shown)
      if (typeof answer === 'object' && answer !== null) then = (answer as { then?: unknown }).then
    } catch {
      return handle(REJECT.threw, false)
    }
    if (typeof then !== 'function') return handle(readVerdict(answer, legacy?.read), false)
    return settle(answer as object, then, legacy?.read, handle)
  }

  /** Waits for a promise like `await`, but reads `then` once, and takes the first of its answers and the deadline. */
  function settle<Result>(
    promise: object,
    then: Function,
    readAnswer: AnswerReader | undefined,
    handle: VerdictHandler<Result>,
  ): Promise<Result> {
    return new Promise(resolve => {
      let isOver = false
      const finish = (getVerdict: () => Verdict): void => {
        // A late or second answer is not read.
        if (isOver) return
        const result = handle(getVerdict(), true)
        // Reading can run the hook's code, which can answer again, or overflow the stack: an answer counts once it was handled.
        if (isOver) return
        isOver = true
        deadlines.remove(timeOut)
        resolve(result)
      }
      const timeOut = (): void => finish(() => REJECT.timeout)
      const fail = (): void => finish(() => REJECT.threw)
      deadlines.add(timeOut, deadline)
      try {
        Reflect.apply(then, promise, [(value: unknown) => finish(() => readVerdict(value, readAnswer)), fail])
      } catch {
        fail()
      }
    })
  }
}
