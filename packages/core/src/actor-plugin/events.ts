// Which events a frontend may send to an actor: never xstate's own, which stop an actor or forge what its children and timers
// say; and of the others those that a schema takes, or else those that the machine names.
import { BusError } from '@sallyport/protocol'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { andMore } from '../and-more.js'
import { invalidArgument } from '../invalid-args.js'
import type { ActorLike } from './actor.js'

const OWN = 'xstate.'

interface Args<Event> {
  event: Event
}

/** The schema of `send`'s arguments, `{ event }`. */
export function argsOf<Sent, Event>(
  events: StandardSchemaV1<Sent, Event> | undefined,
): StandardSchemaV1<Args<Sent>, Args<Event>> {
  const validate = (args: unknown): Result<Event> | Promise<Result<Event>> => {
    const { event } = args as { event?: unknown }
    const why = whyNoEvent(event)
    if (why !== undefined) return { issues: [{ message: why, path: ['event'] }] }
    if (events === undefined) return { value: { event: event as Event } }
    const result = events['~standard'].validate(event)
    return 'then' in result ? result.then(inEvent) : inEvent(result)
  }
  return { '~standard': { version: 1, vendor: 'sallyport', validate } }
}

type Result<Event> = StandardSchemaV1.Result<Args<Event>>

const inEvent = <Event>(result: StandardSchemaV1.Result<Event>): Result<Event> =>
  result.issues
    ? { issues: result.issues.map(issue => ({ ...issue, path: ['event', ...(issue.path ?? [])] })) }
    : { value: { event: result.value } }

function whyNoEvent(event: unknown): string | undefined {
  const type = typeof event === 'object' && event !== null && (event as { type?: unknown }).type
  if (typeof type !== 'string') return 'an event is an object whose `type` is a string'
  // It names every event: xstate’s development build ends an actor that is sent it.
  if (type === '*') return 'no event has the type "*"'
  return type.startsWith(OWN) ? `the events "${OWN}…" are xstate’s own` : undefined
}

/** @throws BusError `InvalidParams` where the machine has no such event, in no state. */
export function checkNamed(actor: ActorLike, { type }: { type: string }): void {
  const named = ((actor.logic as { events?: readonly string[] } | undefined)?.events ?? []).filter(
    name => !name.startsWith(OWN),
  )
  if (named.some(name => matches(name, type))) return
  const known = named.length === 0 ? 'it takes none' : `it takes ${listed(named)}`
  throw invalidArgument('send', 'event', `the actor has no event ${JSON.stringify(type.slice(0, 100))}: ${known}`)
}

/** Transitions are written for a type, for all that begin with one (`mouse.*`), or for any (`*`). */
const matches = (name: string, type: string): boolean =>
  name === type || name === '*' || (name.endsWith('.*') && `${type}.`.startsWith(name.slice(0, -1)))

const listed = (names: readonly string[]): string =>
  andMore(names.slice(0, 10).join(', '), Math.max(0, names.length - 10))

/** @throws BusError `InvalidRequest` */
export function ended(name: string): BusError {
  return new BusError('InvalidRequest', `The actor ${JSON.stringify(name)} has ended: it takes no more events`)
}
