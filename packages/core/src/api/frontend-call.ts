// A call of a function that a frontend exposes: what it may be given, whoever makes it, a handler or the host.
import { BusError, type CallOptions, checkOptionNames, describeCommand, isBytes } from '@sallyport/protocol'

export interface FrontendCallOptions extends CallOptions {
  /** Buffers to give away rather than copy: each that of the whole payload, or of one of its top-level members. */
  transfer?: readonly ArrayBufferLike[]
}

const OPTIONS: ReadonlySet<string> = new Set(['signal', 'timeout', 'transfer'])

type Class = abstract new (...args: never[]) => object

/**
 * @param channel what a channel is on the caller's side: none can be passed to a frontend
 * @throws BusError `InvalidParams`
 */
export function checkFrontendCall(name: string, args: unknown, options: FrontendCallOptions, channel: Class): void {
  checkOptionNames(name, options, OPTIONS)
  if (!holdsInstance(args, channel)) return
  throw new BusError(
    'InvalidParams',
    `A channel can’t be passed to a frontend, as an argument of ${describeCommand(name)}`,
  )
}

/** Whether one of the named arguments is of this class; bytes have none. */
export const holdsInstance = (args: unknown, type: Class): boolean =>
  typeof args === 'object' &&
  args !== null &&
  !isBytes(args) &&
  Object.values(args).some(value => value instanceof type)
