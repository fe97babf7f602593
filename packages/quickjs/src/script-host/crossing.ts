// What the inside of a VM and the script host tell each other as data: errors, lines of output, and the parts of a URL.
import { describeThrown, isBusError } from '@sallyport/protocol/internal/errors'

/** Of a `BusError` its reason and data, of another error its name and stack, and any other thrown value itself. */
export interface CrossedError {
  readonly message: string
  readonly name?: string
  readonly stack?: string
  readonly reason?: string
  readonly data?: unknown
  /** True if the thrown value was not an error: then `data` is that value. */
  readonly isValue?: boolean
  /** Of an error of a script, own properties, cause and errors. */
  readonly thrown?: unknown
}

export function describeError(error: unknown): CrossedError {
  const message = describeThrown(error)
  if (isBusError(error)) return { message, reason: error.reason, ...(error.data !== undefined && { data: error.data }) }
  return { message, name: error instanceof Error ? error.name : 'Error' }
}

/** Longest line that a script prints, in characters. */
export const MAX_LINE_LENGTH = 8192

/** Members of `URL` that can be assigned. */
export const URL_PARTS: readonly UrlPart[] = [
  ...(['href', 'protocol', 'username', 'password', 'host'] as const),
  ...(['hostname', 'port', 'pathname', 'search', 'hash'] as const),
]
type UrlPart = Exclude<keyof UrlParts, 'origin'>

/** All members, by name. */
export type UrlParts = Pick<URL, 'origin' | 'href' | 'protocol' | 'username' | 'password' | 'host' | 'hostname'> &
  Pick<URL, 'port' | 'pathname' | 'search' | 'hash'>
