// Follows an XState actor in core over the bus, also after core has restarted. Slow subscribers and blocked threads skip snapshots.
// Imports nothing from XState: a remote actor has the shape of an actor, which is all that `useSelector` and similar functions need.
import { setTimeout as delay } from 'node:timers/promises'
import { BusError, callSafely, createDeferred, getBackoff, isBusError } from '@sallyport/protocol/internal'
import { Channel } from './client/channel.js'
import type { Client } from './client/client.js'
import { currentClient } from './client/current-client.js'
import type { CallParameters, ChannelFor, CoreLike } from './types/commands.js'

/** The interface of an XState actor, as far as code outside of the actor uses it. */
export interface RemoteActor<Snapshot = unknown, Event = { type: string }> {
  /** Returns the newest snapshot. It stays available while core restarts, and when the actor has ended. */
  getSnapshot(): Snapshot
  /** Emits each change from now on; `complete` when the actor has ended, `error` when it cannot be followed any more. */
  subscribe(
    observer:
      | ((snapshot: Snapshot) => void)
      | {
          next?: ((snapshot: Snapshot) => void) | undefined
          error?: ((error: unknown) => void) | undefined
          complete?: (() => void) | undefined
        },
    error?: (error: unknown) => void,
    complete?: () => void,
  ): { unsubscribe(): void }
  /**
   * Resolves once core has accepted the event. The promise does not have to be awaited: a refused event is then lost silently,
   * like an event that a machine does not know.
   *
   * @throws {BusError} `Denied`, `InvalidParams`, `InvalidRequest` if the actor has ended, `Disconnected` and any other
   */
  send(event: Event): Promise<void>
  /** Stops following the actor. The actor itself continues. */
  stop(): void
  /** Calls `stop`. */
  [Symbol.asyncDispose](): Promise<void>
}

type Observer<Snapshot> = Exclude<Parameters<RemoteActor<Snapshot>['subscribe']>[0], CallableFunction>

/** The messages of core. A channel that ends without `ended` was interrupted. */
type Followed<Snapshot> = { snapshot: Snapshot } | { ended: true }

/** Milliseconds before an attempt to follow an actor again. */
const RETRY_DELAY = { min: 50, max: 5000 }

/**
 * Follows the actor that core has created with `actorPlugin(name, …)`. Resolves with its first snapshot.
 *
 * @param options.client - the client to use, for example of `bus.connect`; this frontend's own by default
 * @throws {BusError} `Denied` without the permission `<name>:allow-subscribe`, `InvalidParams` if the name is invalid, and any other
 * @example
 * const light = await remoteActor('light')
 * light.subscribe(({ value }) => console.log(value))
 * await light.send({ type: 'NEXT' })
 */
export async function remoteActor<Actor extends RemoteActor<unknown, never> = RemoteActor>(
  name: string,
  { client = currentClient() }: { client?: Pick<Client, 'invoke' | 'closed'> } = {},
): Promise<Actor> {
  type Snapshot = ReturnType<Actor['getSnapshot']>
  if (typeof name !== 'string') {
    throw new BusError('InvalidParams', `remoteActor: the name must be a string: got ${typeof name}`)
  }
  const observers = new Observers<Snapshot>()
  let latest: { snapshot: Snapshot } | undefined
  let channel: Channel<Followed<Snapshot>> | undefined
  let isOver = false
  const stopping = new AbortController()
  const first = createDeferred()

  const receive = (snapshot: Snapshot): void => {
    const isFirst = latest === undefined
    latest = { snapshot }
    if (isFirst) first.resolve()
    else observers.next(snapshot)
  }
  const end = (error?: unknown): void => {
    if (isOver) return
    isOver = true
    first.reject(error ?? new BusError('Disconnected', `The client has closed before ${name} was followed`))
    observers.end(error)
  }
  const stop = (): void => {
    end()
    channel?.close()
    stopping.abort()
  }
  void client.closed.then(stop)

  const follow = async (): Promise<void> => {
    for (let attempt = 0; !isOver; attempt++) {
      try {
        channel = new Channel<Followed<Snapshot>>()
        await client.invoke(`plugin:${name}|subscribe`, { channel })
        for await (const message of channel) {
          if ('ended' in message) return end()
          attempt = 0
          receive(message.snapshot)
        }
      } catch (error) {
        if (!isBusError(error, 'Disconnected') || latest === undefined) return end(error)
      }
      await delay(getBackoff(attempt, RETRY_DELAY), undefined, { signal: stopping.signal }).catch(() => {})
    }
  }
  void follow()
  await first.promise

  const actor: RemoteActor<Snapshot, { type: string }> = {
    getSnapshot: () => (latest as { snapshot: Snapshot }).snapshot,
    subscribe: (observer, error, complete) =>
      observers.add(typeof observer === 'function' ? { next: observer, error, complete } : observer),
    send(event) {
      const sent = client.invoke<void>(`plugin:${name}|send`, { event })
      sent.catch(() => {})
      return sent
    },
    stop,
    [Symbol.asyncDispose]: async () => stop(),
  }
  return actor as unknown as Actor
}

/** The observers of one actor. They get the last snapshot of each tick: a thread that was blocked receives many at once. */
class Observers<Snapshot> {
  /** Each subscription has its own entry, because an observer can subscribe twice. */
  readonly #subscriptions = new Set<{ observer: Observer<Snapshot> }>()
  #newest: { snapshot: Snapshot } | undefined
  #end: { error: unknown } | undefined

  /** Adds an observer. If the actor has ended, the observer is notified of that immediately. */
  add(observer: Observer<Snapshot>): { unsubscribe(): void } {
    const subscription = { observer }
    if (this.#end) finish(observer, this.#end.error)
    else this.#subscriptions.add(subscription)
    return { unsubscribe: () => void this.#subscriptions.delete(subscription) }
  }

  next(snapshot: Snapshot): void {
    if (this.#newest === undefined) setImmediate(() => this.#emit())
    this.#newest = { snapshot }
  }

  /** @param error - `undefined` if the actor has come to its end */
  end(error: unknown): void {
    this.#emit()
    this.#end = { error }
    const subscriptions = [...this.#subscriptions]
    this.#subscriptions.clear()
    for (const { observer } of subscriptions) finish(observer, error)
  }

  #emit(): void {
    const newest = this.#newest
    this.#newest = undefined
    if (newest === undefined) return
    for (const subscription of [...this.#subscriptions]) {
      // An observer can unsubscribe another.
      if (!this.#subscriptions.has(subscription)) continue
      callSafely(() => subscription.observer.next?.(newest.snapshot))
    }
  }
}

const finish = <Snapshot>(observer: Observer<Snapshot>, error: unknown): void =>
  callSafely(() => (error === undefined ? observer.complete?.() : observer.error?.(error)))

/**
 * The type of the remote actor that `actorPlugin(name, …)` has created in a core, read from the core's type.
 *
 * @example const light = await remoteActor<RemoteActorOf<typeof import('./core.js').default, 'light'>>('light')
 */
export type RemoteActorOf<Core extends CoreLike, Name extends string> = RemoteActor<
  SnapshotIn<CallParameters<Core, `plugin:${Name}|subscribe`>>,
  EventIn<CallParameters<Core, `plugin:${Name}|send`>>
>

type SnapshotIn<Parameters> = Parameters extends readonly [{ channel: ChannelFor<infer Message> }, ...unknown[]]
  ? Message extends { snapshot: infer Snapshot }
    ? Snapshot
    : never
  : never
type EventIn<Parameters> = Parameters extends readonly [{ event: infer Event }, ...unknown[]] ? Event : never
