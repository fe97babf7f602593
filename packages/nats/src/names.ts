// What a bus, an instance and a joined process may be called: each stands in subjects, as one word, and in the name of a
// service of NATS (ADR-32), which takes no other characters.
import { BusError } from '@sallyport/protocol'

const NAME = /^[a-zA-Z0-9_-]{1,64}$/

export const isName = (given: unknown): given is string => typeof given === 'string' && NAME.test(given)

/** @throws BusError `InvalidParams` that says `what` is wrong */
export function checkName(what: string, given: unknown): string {
  if (isName(given)) return given
  throw new BusError('InvalidParams', `${what} must be 1 to 64 letters, digits, "-" and "_"`)
}
