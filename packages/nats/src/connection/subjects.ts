// The subjects of a bus. Names of buses, instances and clients are one word each.
import { BusError } from '@sallyport/protocol'

/** Where the hellos of a bus go: to any instance, or to one of them. */
export const openSubject = (bus: string, instance?: string): string =>
  instance === undefined ? `sallyport.${bus}.open` : `sallyport.${bus}.open.${instance}`

/** What joined processes send in a session. */
export const toCore = (bus: string, instance: string, session: string): string =>
  `sallyport.${bus}.to.${instance}.${session}`

/** What core sends to a joined process in a session. */
export const fromCore = (bus: string, client: string, session: string): string =>
  `sallyport.${bus}.from.${client}.${session}`

/** What is emitted at one instance, for the others. */
export const eventsSubject = (bus: string): string => `sallyport.${bus}.events`

/** Instances tell each other of themselves. */
export const instancesSubject = (bus: string): string => `sallyport.${bus}.instances`

/** As ADR-32 names it: letters, digits, "-" and "_". */
export const serviceName = (bus: string): string => `sallyport-${bus}`

/** The queue group that all instances are in. */
export const CORE_GROUP = 'core'

/** NATS's own question who serves (ADR-32). */
export const discoverySubject = (bus: string): string => `$SRV.PING.${serviceName(bus)}`

// What a bus, an instance and a joined process may be called: each stands in subjects, as one word, and in the name of a
// service of NATS (ADR-32), which takes no other characters.

const NAME = /^[a-zA-Z0-9_-]{1,64}$/

export const isName = (given: unknown): given is string => typeof given === 'string' && NAME.test(given)

/** @throws BusError `InvalidParams` that says `what` is wrong */
export function checkName(what: string, given: unknown): string {
  if (isName(given)) return given
  throw new BusError('InvalidParams', `${what} must be 1 to 64 letters, digits, "-" and "_"`)
}
