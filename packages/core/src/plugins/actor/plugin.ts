// An actor that lives in core, and what frontends may do with it: send it events, and follow its snapshots. It is a plugin like
// any other, so a capability says who may do which.
import { BusError, formatSuppressed } from '@sallyport/protocol'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { App } from '../../api/app.js'
import type { CommandContext } from '../../api/context.js'
import { command, type Command, type CommandHandler, plugin, type Plugin } from '../../api/define.js'
import { stateKey } from '../../api/state.js'
import { invalidArgument, whyMissing } from '../../rpc/arguments.js'
import type { Channel } from '../../rpc/channel.js'
import {
  type ActorLike,
  type Followed,
  Followers,
  isActive,
  type SnapshotView,
  type ValueOf,
  getView,
} from './followers.js'

// Which events a frontend may send to an actor: never xstate's own, which stop an actor or forge what its children and timers
// say; and of the others those that a schema takes, or else those that the machine names.

const OWN = 'xstate.'

interface Args<Event> {
  event: Event
}

/** The schema of `send`'s arguments, `{ event }`. */
function getArgs<Sent, Event>(
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
function checkNamed(actor: ActorLike, { type }: { type: string }): void {
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
  formatSuppressed(names.slice(0, 10).join(', '), Math.max(0, names.length - 10))

/** @throws BusError `InvalidRequest` */
function ended(name: string): BusError {
  return new BusError('InvalidRequest', `The actor ${JSON.stringify(name)} has ended: it takes no more events`)
}

const SUBSCRIBE = 'subscribe'

export interface ActorPluginOptions<Snapshot, Event, View, Sent> {
  /**
   * What frontends see of a snapshot: `{ status, value, tags }` unless this says otherwise. It is called once for each snapshot
   * that somebody is shown, and must not change it.
   */
  select?: (snapshot: Snapshot) => View
  /**
   * Any Standard Schema of the events that frontends may send. Without one they may send each type that the machine names, in
   * whatever state, with whatever else is in the event.
   */
  events?: StandardSchemaV1<Sent, Event>
}

/** What frontends call: `plugin:<name>|send` and `plugin:<name>|subscribe`. (No interface: that would be no `Commands`.) */
export type ActorCommands<View, Sent> = {
  send: Command<{ event: Sent }, void>
  subscribe: CommandHandler<{ channel: Channel<Followed<View>> }, void>
}

export type ActorPlugin<Name extends string, View, Sent> = Plugin<Name, ActorCommands<View, Sent>>

/**
 * An actor in core that frontends follow (`<name>:allow-subscribe`) and send events to (`<name>:allow-send`).
 *
 * @param create makes the actor, once for each core; the plugin starts it, and stops it when core ends
 * @example
 * defineCore({ plugins: [actorPlugin('light', () => createActor(lightMachine))] })
 * // in a frontend, with remoteActor of '@sallyport/frontend/xstate': (await remoteActor('light')).send({ type: 'NEXT' })
 */
export function actorPlugin<
  const Name extends string,
  Snapshot,
  Event extends { type: string },
  View = SnapshotView<ValueOf<Snapshot>>,
  Sent = Event,
>(
  name: Name,
  create: (app: App) => ActorLike<Snapshot, Event>,
  options: ActorPluginOptions<Snapshot, Event, View, Sent> = {},
): ActorPlugin<Name, View, Sent> {
  const { events, select = getView as (snapshot: Snapshot) => View } = options
  const running = stateKey<{ actor: ActorLike<Snapshot, Event>; followers: Followers<Snapshot, View> }>(name)

  const send = ({ event }: { event: Event }, ctx: CommandContext): void => {
    const { actor } = ctx.state(running)
    if (events === undefined) checkNamed(actor, event)
    if (!isActive(actor)) throw ended(name)
    actor.send(event)
  }

  // Not as a stream: that would be a call in flight, which a bus that closes waits for.
  const subscribe = (args: { channel: Channel<Followed<View>> }, ctx: CommandContext): void => {
    const { channel } = args
    if (typeof channel?.send !== 'function')
      throw invalidArgument(SUBSCRIBE, 'channel', whyMissing(SUBSCRIBE, 'channel', args))
    ctx.state(running).followers.add(ctx.label, channel)
  }

  return plugin(name, {
    commands: {
      send: command({ args: getArgs(events as StandardSchemaV1<Sent, Event> | undefined) }, send),
      subscribe,
    },
    setup(app) {
      const actor = create(app)
      const followers = new Followers<Snapshot, View>(actor, select)
      const changed = (): void => followers.changed()
      // Without an observer of errors xstate throws them where nobody can catch them, which would end core.
      const error = (err: unknown): void => {
        app.log.error({ err }, `the actor ${name} has failed`)
        changed()
      }
      actor.subscribe({ next: changed, error, complete: changed })
      app.manage(running, { actor, followers })
      actor.start()
    },
    teardown(app) {
      app.state(running).actor.stop()
    },
  })
}
