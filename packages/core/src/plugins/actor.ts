// A plugin for an xstate actor in core: frontends send it events and follow its snapshots, as far as their capabilities allow.
import { EventEmitter, once } from 'node:events'
import { isDeepStrictEqual } from 'node:util'
import { BusError, formatSuppressed, MAX_FOLLOWED } from '@sallyport/protocol/internal'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { App, CommandContext } from '../api/app.js'
import { command, type Command, type CommandHandler, plugin, type Plugin } from '../api/define.js'
import { stateKey } from '../api/state.js'
import { invalidArgument, whyMissing } from '../rpc/arguments.js'
import type { Channel } from '../rpc/channel.js'

/** An actor made by xstate's `createActor`: the part that the bus uses. */
export interface ActorLike<Snapshot = unknown, Event extends { type: string } = never> {
  /** Starts the actor. */
  start(): unknown
  /** Stops the actor. */
  stop(): unknown
  /** Sends an event to the actor. */
  send(event: Event): void
  /** Returns the current snapshot. */
  getSnapshot(): Snapshot
  /** Calls the observer for each snapshot, for an error of the actor, and when the actor has stopped. */
  subscribe(observer: { next(): void; error(error: unknown): void; complete(): void }): unknown
  /** A machine's logic names its events. */
  readonly logic?: unknown
}

/** The default view of a snapshot. Context, output and error belong to the app, and do not leave core by default. */
export interface SnapshotView<Value = unknown> {
  /** The actor's status. */
  status: 'active' | 'done' | 'error' | 'stopped'
  /** A machine's state: `'green'`, or an object for nested states. `null` for other actors. */
  value: Value
  /** The tags of its state. */
  tags: string[]
}

type ValueOf<Snapshot> = Snapshot extends { value: infer Value } ? Value : null

type MachineSnapshot = { status: SnapshotView['status']; value?: unknown; tags?: Iterable<string> }

function getView<Snapshot>(snapshot: Snapshot): SnapshotView<ValueOf<Snapshot>> {
  const { status, value = null, tags = [] } = snapshot as MachineSnapshot
  return { status, value: value as ValueOf<Snapshot>, tags: [...tags] }
}

const isActive = (actor: ActorLike): boolean => (actor.getSnapshot() as MachineSnapshot).status === 'active'

/** A message to a follower: the current snapshot, or that the actor has ended. A channel that ends without one was cut off. */
export type Followed<View> = { snapshot: View } | { ended: true }

/**
 * Followers of an actor. Nothing is queued for them: each receives the newest snapshot when its channel has room, so a slow
 * frontend skips the snapshots in between. A view equal to the last one is not sent again.
 */
class Followers<Snapshot, View> {
  readonly #actor: ActorLike<Snapshot>
  readonly #select: (snapshot: Snapshot) => View
  readonly #changes = new EventEmitter().setMaxListeners(0)
  readonly #counts = new Map<string, number>()
  #seen: { snapshot: Snapshot; view: View; version: number } | undefined

  constructor(actor: ActorLike<Snapshot>, select: (snapshot: Snapshot) => View) {
    this.#actor = actor
    this.#select = select
  }

  /** Notes a new snapshot. The view is computed when a follower has room for it. */
  changed(): void {
    this.#changes.emit('changed')
  }

  /** Sends snapshots until the actor or the channel ends. @throws {BusError} Overloaded; what `select` throws for the current snapshot */
  add(label: string, channel: Channel<Followed<View>>): void {
    const count = this.#counts.get(label) ?? 0
    if (count === MAX_FOLLOWED) {
      throw new BusError('Overloaded', `A frontend follows an actor ${MAX_FOLLOWED} times at most`)
    }
    this.#getView()
    this.#counts.set(label, count + 1)
    void this.#show(channel).then(() => {
      const left = this.#counts.get(label)! - 1
      if (left === 0) this.#counts.delete(label)
      else this.#counts.set(label, left)
    })
  }

  /** A later error, of `select` too, ends the channel. The next subscription gets the error. */
  async #show(channel: Channel<Followed<View>>): Promise<void> {
    const { signal } = channel
    try {
      for (let last = 0; !signal.aborted;) {
        const { view, version } = this.#getView()
        if (version !== last) {
          last = version
          await channel.send({ snapshot: view })
        } else if (isActive(this.#actor)) await once(this.#changes, 'changed', { signal })
        else return await channel.send({ ended: true })
      }
    } catch {
    } finally {
      channel.end()
    }
  }

  /** Computes one view per snapshot, for all followers. */
  #getView(): { view: View; version: number } {
    const snapshot = this.#actor.getSnapshot()
    const seen = this.#seen
    if (seen?.snapshot === snapshot) return seen
    const view = this.#select(snapshot)
    const same = seen !== undefined && isDeepStrictEqual(view, seen.view)
    this.#seen = { snapshot, view, version: (seen?.version ?? 0) + (same ? 0 : 1) }
    return this.#seen
  }
}

// Which events a frontend may send: never xstate's own, which stop an actor or forge the events of its children and timers;
// otherwise those that a schema accepts, or else those that the machine names.

const OWN = 'xstate.'

type Args<Event> = { event: Event }
type Result<Event> = StandardSchemaV1.Result<Args<Event>>

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

const inEvent = <Event>(result: StandardSchemaV1.Result<Event>): Result<Event> =>
  result.issues
    ? { issues: result.issues.map(issue => ({ ...issue, path: ['event', ...(issue.path ?? [])] })) }
    : { value: { event: result.value } }

function whyNoEvent(event: unknown): string | undefined {
  const type = typeof event === 'object' && event !== null && (event as { type?: unknown }).type
  if (typeof type !== 'string') return 'an event is an object whose `type` is a string'
  // `*` stands for every event; xstate's development build stops an actor that receives it.
  if (type === '*') return 'no event has the type "*"'
  return type.startsWith(OWN) ? `the events "${OWN}…" are xstate's own` : undefined
}

/** @throws {BusError} InvalidParams if no state of the machine has such an event */
function checkNamed(actor: ActorLike, { type }: { type: string }): void {
  const { events = [] } = (actor.logic ?? {}) as { events?: readonly string[] }
  const named = events.filter(name => !name.startsWith(OWN))
  if (named.some(name => matches(name, type))) return
  const listed = formatSuppressed(named.slice(0, 10).join(', '), Math.max(0, named.length - 10))
  const known = named.length === 0 ? 'it takes none' : `it takes ${listed}`
  throw invalidArgument('send', 'event', `the actor has no event ${JSON.stringify(type.slice(0, 100))}: ${known}`)
}

/** Compares with a transition's type: exact, a prefix (`mouse.*`), or any (`*`). */
const matches = (name: string, type: string): boolean =>
  name === type || name === '*' || (name.endsWith('.*') && `${type}.`.startsWith(name.slice(0, -1)))

const SUBSCRIBE = 'subscribe'

/** Options of `actorPlugin`. */
export interface ActorPluginOptions<Snapshot, Event, View, Sent> {
  /**
   * Returns what frontends see of a snapshot. Called once for each snapshot that is sent; must not change the snapshot.
   * @default `{ status, value, tags }`
   */
  select?: (snapshot: Snapshot) => View
  /**
   * Any Standard Schema of the events that frontends may send. Without one they may send each type that the machine names, in
   * any state, with any other members.
   */
  events?: StandardSchemaV1<Sent, Event>
}

/**
 * The plugin's commands: `plugin:<name>|send` and `plugin:<name>|subscribe`. A type alias, because an interface would not be
 * assignable to `Commands`.
 */
export type ActorCommands<View, Sent> = {
  send: Command<{ event: Sent }, void>
  subscribe: CommandHandler<{ channel: Channel<Followed<View>> }, void>
}

/** The result of `actorPlugin`: a plugin that lets frontends follow an actor, and send it events. */
export type ActorPlugin<Name extends string, View, Sent> = Plugin<Name, ActorCommands<View, Sent>>

/**
 * Creates a plugin for an actor that frontends follow (`<name>:allow-subscribe`) and send events to (`<name>:allow-send`).
 *
 * @param create makes the actor, once per core; the plugin starts it, and stops it when core ends
 * @example
 * defineCore({ plugins: [actorPlugin('light', () => createActor(lightMachine))] })
 * // in a frontend, with remoteActor of '@sallyport/frontend/xstate': (await remoteActor('light')).send({ type: 'NEXT' })
 */
export function actorPlugin<
  const Name extends string,
  Snapshot,
  Event extends { type: string },
  View = SnapshotView<Snapshot extends { value: infer Value } ? Value : null>,
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
    if (!isActive(actor)) {
      throw new BusError('InvalidRequest', `The actor ${JSON.stringify(name)} has ended: it takes no more events`)
    }
    actor.send(event)
  }

  // A channel, not a stream: a stream is a call in flight, which delays the closing of the bus.
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
      // Without an error observer, xstate throws errors where they cannot be caught, which would end core.
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
