// Judges messages with the user's hook. What a hook answers is read once, and checked; what it throws is never looked
// at. A hook that answers at once costs no promise.
import { BusError, DeadlineTimers } from '@sallyport/protocol'
import { HOOK_NAME, type Sandbox } from '../sandbox/hook-sandbox.js'
import type { IsolationApp } from './app.js'
import { type Envelope, openEnvelope } from './envelope.js'
import type { HookMessage, Verdict } from './types.js'
import { readVerdict, REJECT } from './verdict.js'

/** The user's function, in its sandbox. What it gives back may be anything. */
export type HookFunction = (message: unknown) => unknown

/**
 * Passes or rejects one message: `use` is given the verdict, before any more of the hook's code can run, and what it makes of
 * it comes back. A promise only where the hook's own answer was one; it never rejects. `late` says so: between then and what
 * waits for the promise, the hook's code runs again.
 */
export type Hook = <Use>(message: HookMessage, use: (verdict: Verdict, late: boolean) => Use) => Use | Promise<Use>

export interface HookOptions {
  /** Milliseconds that an asynchronous hook may take: 30 000 unless given. */
  deadline?: number
  /** Show messages in the shape of older examples (`payload.message.cmd`): see `openEnvelope`. */
  envelope?: boolean
}

/**
 * The hook that the scripts have set; `null` says, as in Tauri, that every message passes. Its `this` is `window`.
 *
 * @throws BusError `InvalidParams` if there is none, or something else in its place
 */
export function findHook(sandbox: Sandbox, app: IsolationApp): HookFunction | null {
  const scripts = app.scripts.map(script => script.name).join(', ')
  let hook: unknown
  try {
    hook = sandbox.readHook()
  } catch {
    throw new BusError('InvalidParams', `Isolation app: ${scripts}: window.${HOOK_NAME} can't be read`)
  }
  if (hook === null) return null
  if (typeof hook === 'function') return message => Reflect.apply(hook, sandbox.window, [message]) as unknown
  const problem = hook === undefined ? `set no window.${HOOK_NAME}` : `set window.${HOOK_NAME} to a ${typeof hook}`
  throw new BusError('InvalidParams', `Isolation app: ${scripts} ${problem}: it has to be a function, or null`)
}

/**
 * Wraps a hook (or `null`, which passes everything) into a judge.
 *
 * `null`, `undefined`, a throw, a rejection and a missed deadline reject the message. `cmd`, `payload` and `options` are
 * the hook's to change, in place or in a new object; `callback` and `error` are not read back.
 */
export function createHook(fn: HookFunction | null, options: HookOptions = {}): Hook {
  if (fn === null) {
    return ({ cmd, payload, options: given }, use) =>
      use({ kind: 'pass', message: { cmd, payload, options: given } }, false)
  }
  const { deadline = 30_000, envelope = false } = options
  // Steps of 1 ms, as timers have them.
  const deadlines = new DeadlineTimers<() => void>(1, expire => expire())
  return (message, use) => {
    const opened = envelope ? openEnvelope(message) : undefined
    let result: unknown
    let then: unknown
    try {
      result = fn(opened === undefined ? message : opened.shown)
      if (typeof result === 'object' && result !== null) then = (result as { then?: unknown }).then
    } catch {
      return use(REJECT.threw, false)
    }
    if (typeof then !== 'function') return use(readVerdict(result, opened), false)
    return settle(result as object, then, opened, use)
  }

  /** As `await` would, but with `then` read once, and the first answer or the deadline, whatever comes first. */
  function settle<Use>(
    result: object,
    then: Function,
    opened: Envelope | undefined,
    use: (verdict: Verdict, late: boolean) => Use,
  ): Promise<Use> {
    return new Promise(resolve => {
      let over = false
      const finish = (read: () => Verdict): void => {
        // A hook that answers late, or twice, is not read again.
        if (over) return
        const used = use(read(), true)
        // Reading may run the hook's code, which may answer, or overflow the stack: an answer counts once it has been used.
        if (over) return
        over = true
        deadlines.remove(expire)
        resolve(used)
      }
      const expire = (): void => finish(() => REJECT.timeout)
      deadlines.add(expire, deadline)
      const threw = (): void => finish(() => REJECT.threw)
      try {
        Reflect.apply(then, result, [(value: unknown) => finish(() => readVerdict(value, opened)), threw])
      } catch {
        threw()
      }
    })
  }
}
