// A client replaces the channels among the arguments of a call by references before a codec sees them. A codec that meets another channel
// would write its `toJSON`, a text that arrives as a text: channels refuse that, and stay JSON for everyone else.
import { IS_NODE } from '#platform'
import { RefusedValueError } from '../errors/command-error.js'

/** Whether a codec encodes a value of this thread. A getter of the value can encode another one meanwhile. */
export const encoding = { isActive: false }

export const AS_ARGUMENT = 'pass it as an argument of its own'

/** For `toJSON` of channels. @throws {TypeError} while a codec encodes */
export function refuseNestedChannel(channel: object): void {
  if (!encoding.isActive) return
  if (!IS_NODE) throw new TypeError(`it has a Channel: ${AS_ARGUMENT}`)
  throw new RefusedValueError(channel, `is a Channel: ${AS_ARGUMENT}, at the top level of a call`)
}
