// An actor that lives in core, and what frontends may do with it: send it events, and follow its snapshots. It is a plugin like
// any other, so a capability says who may do which.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { App } from '../app.js'
import type { CommandContext } from '../context.js'
import type { Channel } from '../channel.js'
import { command, plugin, type Command, type CommandHandler, type Plugin } from '../define.js'
import { invalidArgument, whyMissing } from '../invalid-args.js'
import { stateKey } from '../state.js'
import { isActive, viewOf, type ActorLike, type SnapshotView, type ValueOf } from './actor.js'
import { argsOf, checkNamed, ended } from './events.js'
import { Followers, type Followed } from './followers.js'

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
  const { events, select = viewOf as (snapshot: Snapshot) => View } = options
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
      send: command({ args: argsOf(events as StandardSchemaV1<Sent, Event> | undefined) }, send),
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
