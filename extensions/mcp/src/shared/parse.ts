// What others send is bounded before it reaches a parser, and before it reaches the SDK.
import { scanJson } from '@sallyport/protocol/internal/codec'
import { isObject } from '@sallyport/protocol/internal/util'

/** The SDK needs 20 microseconds for each member that it looks at, and this thread serves nobody else meanwhile. */
const MAX_MEMBERS = 10_000
/** Those of a message, of its `params` or `result`, and of `arguments`, `structuredContent` or `_meta` in it. It looks at no others. */
const LEVELS = 3

/** @throws {RangeError} for too many levels, values or members; {SyntaxError} for what is no JSON */
export function parseBounded(text: Buffer, maxValues: number = Infinity): unknown {
  if (scanJson(text, 0) > maxValues) throw new RangeError(`more than ${maxValues} values`)
  const value: unknown = JSON.parse(text.toString('utf8'))
  const messages: unknown[] = Array.isArray(value) ? value : [value]
  let members = 0
  const count = (part: unknown, levels: number): void => {
    if (!isObject(part)) return
    const inner = Object.values(part)
    members += inner.length
    if (levels > 1) for (const each of inner) count(each, levels - 1)
  }
  for (const message of messages) count(message, LEVELS)
  if (members > MAX_MEMBERS) throw new RangeError(`more than ${MAX_MEMBERS} members`)
  return value
}
