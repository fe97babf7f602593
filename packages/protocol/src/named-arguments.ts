// The arguments of a call have names, unless they are bytes: what else a caller may give by mistake is refused where it calls.
import { BusError } from './error.js'
import { describeCommand } from './error.js'
import { isThenable } from './thenable.js'

/** @throws BusError `InvalidParams` where arguments that are no bytes have no names */
export function checkNamedArguments(command: string, args: unknown): asserts args is Record<string, unknown> {
  // Lists, maps and promises that somebody forgot to await would all arrive as an object without a name in it.
  const isObject = typeof args === 'object' && args !== null
  if (isObject && !(Symbol.iterator in args) && !isThenable(args)) return
  const kind = isObject ? `a ${Object.prototype.toString.call(args).slice(8, -1)}` : typeof args
  const given = Array.isArray(args) ? 'an array' : isThenable(args) ? `${kind}: is an \`await\` missing?` : kind
  throw new BusError(
    'InvalidParams',
    `Arguments of ${describeCommand(command)} must be an object of named arguments, or bytes: got ${given}`,
  )
}
