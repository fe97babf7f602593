// The NATS subjects of a bus. The names of buses, instances and joined processes are single tokens in them.
import { BusError } from '@sallyport/protocol/internal/errors'

/** ADR-32 of NATS allows no other characters in the name and id of a service. */
const NAME = /^[a-zA-Z0-9_-]{1,64}$/
export const isName = (value: unknown): value is string => typeof value === 'string' && NAME.test(value)

/** @param what - names the value in the error text */
export function checkName(what: string, value: unknown): string {
  if (isName(value)) return value
  throw new BusError('InvalidParams', `${what} must be 1 to 64 letters, digits, "-" and "_"`)
}

/** Subject of hellos: to any instance of the bus, or to a single one. */
export const openSubject = (bus: string, instance?: string): string =>
  instance === undefined ? `sallyport.${bus}.open` : `sallyport.${bus}.open.${instance}`

/** Subject of a session's messages to core. */
export const coreSubject = (bus: string, instance: string, session: string): string =>
  `sallyport.${bus}.to.${instance}.${session}`

/** Subject of a session's messages to the joined process. */
export const clientSubject = (bus: string, client: string, session: string): string =>
  `sallyport.${bus}.from.${client}.${session}`

export const eventsSubject = (bus: string): string => `sallyport.${bus}.events`
export const instancesSubject = (bus: string): string => `sallyport.${bus}.instances`

/** Queue group of all instances. */
export const CORE_GROUP = 'core'
export const serviceName = (bus: string): string => `sallyport-${bus}`

/** Subject of NATS's service discovery (ADR-32). */
export const discoverySubject = (bus: string): string => `$SRV.PING.${serviceName(bus)}`
