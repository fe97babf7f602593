// Followers of an actor. Nothing is queued for them: each receives the newest snapshot when its channel has room, so a slow
// frontend skips the snapshots in between. A view equal to the last one is not sent again.
import { isDeepStrictEqual } from 'node:util'
import { BusError } from '@sallyport/protocol/internal'
import type { Channel } from '../../rpc/channel.js'

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

export type ValueOf<Snapshot> = Snapshot extends { value: infer Value } ? Value : null

type MachineSnapshot = { status: SnapshotView['status']; value?: unknown; tags?: Iterable<string> }

export function getView<Snapshot>(snapshot: Snapshot): SnapshotView<ValueOf<Snapshot>> {
  const { status, value = null, tags = [] } = snapshot as MachineSnapshot
  return { status, value: value as ValueOf<Snapshot>, tags: [...tags] }
}

export const isActive = (actor: ActorLike): boolean => (actor.getSnapshot() as MachineSnapshot).status === 'active'

/** A message to a follower: the current snapshot, or that the actor has ended. A channel that ends without one was cut off. */
export type Followed<View> = { snapshot: View } | { ended: true }

const MAX_FOLLOWED = 16

export class Followers<Snapshot, View> {
  readonly #actor: ActorLike<Snapshot>
  readonly #select: (snapshot: Snapshot) => View
  readonly #waiting = new Set<() => void>()
  readonly #counts = new Map<string, number>()
  #seen: { snapshot: Snapshot; view: View; version: number } | undefined

  constructor(actor: ActorLike<Snapshot>, select: (snapshot: Snapshot) => View) {
    this.#actor = actor
    this.#select = select
  }

  /** Notes a new snapshot. The view is computed when a follower has room for it. */
  changed(): void {
    for (const wake of [...this.#waiting]) wake()
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
        } else if (isActive(this.#actor)) await this.#change(signal)
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

  #change(signal: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      const wake = (): void => {
        this.#waiting.delete(wake)
        signal.removeEventListener('abort', wake)
        resolve()
      }
      this.#waiting.add(wake)
      signal.addEventListener('abort', wake)
    })
  }
}
