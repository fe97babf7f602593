// Judges messages with the user's hook. What a hook answers is read once, and checked; what it throws is never looked
// at. A hook that answers at once costs no promise.
import { BusError } from '@sallyport/protocol'
import type { IsolationApp } from './app.js'
import { openEnvelope, type Envelope } from './envelope.js'
import { createDeadlines } from './hook-deadline.js'
import type { HookMessage, Verdict } from './hook-message.js'
import { readVerdict, REJECT } from './hook-verdict.js'
import type { Sandbox } from './sandbox.js'
import { HOOK_NAME } from './sandbox-source.js'

/** The user's function, in its sandbox. What it gives back may be anything. */
export type HookFunction = (message: unknown) => unknown

/** Passes or rejects one message. A promise only where the hook's own answer was one; it never rejects. */
export type Hook = (message: HookMessage) => Verdict | Promise<Verdict>

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
    return ({ cmd, payload, options: given }) => ({ kind: 'pass', message: { cmd, payload, options: given } })
  }
  const { deadline = 30_000, envelope = false } = options
  const deadlines = createDeadlines(deadline)
  return message => {
    const opened = envelope ? openEnvelope(message) : undefined
    let result: unknown
    let then: unknown
    try {
      result = fn(opened === undefined ? message : opened.shown)
      if (typeof result === 'object' && result !== null) then = (result as { then?: unknown }).then
    } catch {
      return REJECT.threw
    }
    if (typeof then !== 'function') return readVerdict(result, opened)
    return settle(result as object, then, opened)
  }

  /** As `await` would, but with `then` read once, and the first answer or the deadline, whatever comes first. */
  function settle(result: object, then: Function, opened: Envelope | undefined): Promise<Verdict> {
    return new Promise(resolve => {
      const end = deadlines.start(() => resolve(REJECT.timeout))
      try {
        Reflect.apply(then, result, [
          (value: unknown) => {
            // A hook that answers late, or twice, is not read again.
            if (end()) resolve(readVerdict(value, opened))
          },
          () => {
            if (end()) resolve(REJECT.threw)
          },
        ])
      } catch {
        if (end()) resolve(REJECT.threw)
      }
    })
  }
}
