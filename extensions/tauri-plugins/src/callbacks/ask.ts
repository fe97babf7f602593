// Calls of functions of the host, which act on the person's desktop or end the host. Each call ends: with the function's result, with the
// frontend's call, or after a limit.
import { once } from 'node:events'
import type { CommandContext } from '@sallyport/core'
import { deadline, later } from '@sallyport/paths/internal'

/** The calling frontend, as the last argument of each function of the host. */
export interface HostRequest {
  /** The label of the frontend. */
  readonly label: string
  /** Aborts when the result is no longer waited for: the caller is gone, or the limit is over. */
  readonly signal: AbortSignal
}

/** Milliseconds for a function that asks no person. */
const LIMIT_MS = 30_000
/** Milliseconds for a function that asks a person. */
const PERSON_LIMIT_MS = 600_000

type HostFunction<A extends readonly unknown[], T> = (...args: [...A, HostRequest]) => T | Promise<T>

/**
 * Calls a function of the host. Rejects at once without the function.
 * @param name - the function's option, for error texts: `opener({ open })`
 */
export async function askHost<const A extends readonly unknown[], T>(
  name: string,
  { label, signal }: CommandContext,
  run: HostFunction<A, T> | undefined,
  args: A,
  limit: number = LIMIT_MS,
): Promise<T> {
  if (!run) throw new Error(`Call refused: the host has no function for it. Pass it to ${name}.`)
  signal.throwIfAborted()
  const late = new AbortController()
  const expire = (): void => late.abort(new Error(`The host's ${name} timed out after ${limit} ms.`))
  const endDeadline = deadline(limit, expire)
  const either = AbortSignal.any([signal, late.signal])
  const ended = once(either, 'abort').then(() => Promise.reject(either.reason))
  try {
    return await Promise.race([ended, (async () => run(...args, { label, signal: either }))()])
  } finally {
    endDeadline()
  }
}

class PersonRequests extends Map<string, symbol> {}

/**
 * Calls a function of the host that asks a person, for each frontend one at a time. A request that the frontend has cancelled is open until
 * the host answers: otherwise cancelled calls could cover a screen with dialogs.
 */
export async function askPerson<const A extends readonly unknown[], T>(
  name: string,
  ctx: CommandContext,
  run: HostFunction<A, T> | undefined,
  args: A,
): Promise<T> {
  const { app, label } = ctx
  app.manage(PersonRequests, new PersonRequests())
  const open = app.state(PersonRequests)
  if (open.has(label)) throw new Error('Dialog refused: another one of this frontend is open. Wait for its answer.')
  const ask: HostFunction<A, T> | undefined =
    run &&
    ((...call) => {
      const id = Symbol(name)
      const end = (): void => {
        endWait()
        if (open.get(label) === id) open.delete(label)
      }
      const endWait = later(PERSON_LIMIT_MS, end)
      open.set(label, id)
      const answer = (async () => run(...call))()
      void answer.then(end, end)
      return answer
    })
  return askHost(name, ctx, ask, args, PERSON_LIMIT_MS)
}

const MAX_TEXT = 4096
/** Control characters, and characters that change the direction of text or cannot be seen. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

/** Returns a frontend's text for a person: in one line, without characters that could hide a part of it, and cut after `max` characters. */
export function toSafeText(text: string, max: number = MAX_TEXT): string {
  const safe = text.slice(0, max).replace(UNSAFE, ' ')
  return text.length > max ? `${safe}…` : safe
}

/** Returns a frontend's text after its label, so that a person sees who asks. */
export const withLabel = (label: string, text: string | undefined): string =>
  text === undefined || text === '' ? label : `${label}: ${toSafeText(text)}`
