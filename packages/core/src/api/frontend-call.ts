// Options and arguments of a call of a frontend's function, by a handler or by the host.
import { BusError, checkOptionNames, describeCommand, isBytes } from '@sallyport/protocol/internal'
import type { CallOptions, TransferOptions } from '@sallyport/protocol/internal'

const OPTIONS: ReadonlySet<string> = new Set(['signal', 'timeout', 'transfer'])

type Class = abstract new (...args: never[]) => object

/** @param channel the class of channels on the caller's side, which cannot be passed to a frontend */
export function checkFrontendCall(
  name: string,
  args: unknown,
  channel: Class,
  options?: CallOptions & TransferOptions,
): void {
  checkOptionNames(name, options, OPTIONS, args)
  if (!holdsInstance(args, channel)) return
  const text = `A channel cannot be passed to a frontend, as an argument of ${describeCommand(name)}`
  throw new BusError('InvalidParams', text)
}

export const holdsInstance = (args: unknown, type: Class): boolean =>
  typeof args === 'object' &&
  args !== null &&
  !isBytes(args) &&
  Object.values(args).some(value => value instanceof type)
