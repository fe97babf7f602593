// An actor in core, followed over the bus. Its snapshots come on a channel: who is told of one is told of the newest that has
// come, so a subscriber that is slow, or a thread that was blocked, skips what it has missed. When core is started again the
// actor in it is another one, and is followed from then on.
import { callSafely, BusError, getBackoff, isBusError } from '@sallyport/protocol'
import { Channel } from '../client/channel.js'
import type { Client } from '../client/client.js'
import { currentClient } from '../client/current-client.js'
import type { CallParameters, ChannelFor, CoreLike } from '../types/commands.js'

// Who observes a remote actor. Of the snapshots that came in one turn they are told the last: a thread that was blocked finds
// many of them at once.

export interface Observer<Snapshot> {
  next?: ((snapshot: Snapshot) => void) | undefined
  error?: ((error: unknown) => void) | undefined
  complete?: (() => void) | undefined
}

class Observers<Snapshot> {
  /** Each in a box of its own: the same one may be there twice. */
  readonly #all = new Set<{ observer: Observer<Snapshot> }>()
  #newest: { snapshot: Snapshot } | undefined
  #end: { error: unknown } | undefined

  /** Who comes when it is over is told so at once. */
  add(observer: Observer<Snapshot>): { unsubscribe(): void } {
    const box = { observer }
    if (this.#end) finish(observer, this.#end.error)
    else this.#all.add(box)
    return { unsubscribe: () => void this.#all.delete(box) }
  }

  next(snapshot: Snapshot): void {
    if (this.#newest === undefined) setImmediate(() => this.#tell())
    this.#newest = { snapshot }
  }

  /** @param error `undefined`: it has come to its end */
  end(error: unknown): void {
    this.#tell()
    this.#end = { error }
    const all = [...this.#all]
    this.#all.clear()
    for (const { observer } of all) finish(observer, error)
  }

  #tell(): void {
    const newest = this.#newest
    this.#newest = undefined
    if (newest === undefined) return
    // One that was taken away by another is told no more.
    for (const box of [...this.#all]) if (this.#all.has(box)) callSafely(() => box.observer.next?.(newest.snapshot))
  }
}

const finish = <Snapshot>(observer: Observer<Snapshot>, error: unknown): void =>
  callSafely(() => (error === undefined ? observer.complete?.() : observer.error?.(error)))

/** Of an actor of xstate's: what one outside of it uses. */
export interface RemoteActor<Snapshot = unknown, Event = { type: string }> {
  /** The newest snapshot, as core shows it. It stays while core is being started again, and when the actor has ended. */
  getSnapshot(): Snapshot
  /** Tells of each change from now on; `complete` when the actor has ended, `error` when it can't be followed any more. */
  subscribe(
    observer: Observer<Snapshot> | ((snapshot: Snapshot) => void),
    error?: (error: unknown) => void,
    complete?: () => void,
  ): { unsubscribe(): void }
  /**
   * Resolves once core has taken the event. Nobody has to await it: an event that is refused is then lost without a word, as
   * one that a machine does not know.
   *
   * @throws BusError `Denied`, `InvalidParams`, `InvalidRequest` where the actor has ended, `Disconnected` and any other
   */
  send(event: Event): Promise<void>
  /** Follows it no more. The actor itself goes on. */
  stop(): void
  [Symbol.asyncDispose](): Promise<void>
}

export interface RemoteActorOptions {
  /** Of `bus.connect`; this frontend's own by default. */
  client?: Pick<Client, 'invoke' | 'closed'>
}

/** What core sends. A channel that ends without a word was cut off. */
export type Followed<Snapshot> = { snapshot: Snapshot } | { ended: true }

/** Before an attempt to follow an actor again, in milliseconds. */
const RETRY_DELAY = { min: 50, max: 5000 }

/**
 * Follows the actor that core has by `actorPlugin(name, …)`. Resolves with its first snapshot.
 *
 * @throws BusError `Denied` where no capability allows `<name>:allow-subscribe`, `InvalidParams` for a name that is none, and any other
 * @example
 * const light = await remoteActor('light')
 * light.subscribe(({ value }) => console.log(value))
 * await light.send({ type: 'NEXT' })
 */
export async function remoteActor<Actor extends RemoteActor<unknown, never> = RemoteActor>(
  name: string,
  { client = currentClient() }: RemoteActorOptions = {},
): Promise<Actor> {
  type Snapshot = ReturnType<Actor['getSnapshot']>
  if (typeof name !== 'string')
    throw new BusError('InvalidParams', `remoteActor: its name must be a text: got ${typeof name}`)
  const observers = new Observers<Snapshot>()
  let latest: { snapshot: Snapshot } | undefined
  let channel: Channel<Followed<Snapshot>> | undefined
  let over = false
  let wake = (): void => {}
  let began!: () => void
  let failed!: (error: unknown) => void
  const first = new Promise<void>((resolve, reject) => ([began, failed] = [resolve, reject]))

  const take = (snapshot: Snapshot): void => {
    const isFirst = latest === undefined
    latest = { snapshot }
    if (isFirst) began()
    else observers.next(snapshot)
  }
  const end = (error?: unknown): void => {
    if (over) return
    over = true
    failed(error ?? new BusError('Disconnected', `The client has closed before ${name} was followed`))
    observers.end(error)
  }
  const stop = (): void => {
    end()
    channel?.close()
    wake()
  }
  void client.closed.then(stop)

  const follow = async (): Promise<void> => {
    for (let attempt = 0; !over; attempt++) {
      try {
        channel = new Channel<Followed<Snapshot>>()
        await client.invoke(`plugin:${name}|subscribe`, { channel })
        for await (const message of channel) {
          if ('ended' in message) return end()
          attempt = 0
          take(message.snapshot)
        }
      } catch (error) {
        if (!isBusError(error, 'Disconnected') || latest === undefined) return end(error)
      }
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, getBackoff(attempt, RETRY_DELAY))
        wake = () => (clearTimeout(timer), resolve())
      })
    }
  }
  void follow()
  await first

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

// The type of a remote actor, read from the type of the core that it lives in.

/**
 * The actor that `actorPlugin(name, …)` has made in a core.
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
