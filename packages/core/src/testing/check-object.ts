// What tests are given by hand is looked at before it is taken apart.
import { BusError } from '@sallyport/protocol'

/** @throws BusError `InvalidParams`, which names what is wrong */
export function checkObject(what: string, given: unknown): void {
  if (typeof given === 'object' && given !== null) return
  throw new BusError('InvalidParams', `${what} must be an object: got ${given === null ? 'null' : typeof given}`)
}
