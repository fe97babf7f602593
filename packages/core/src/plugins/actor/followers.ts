// Who follows an actor. Nothing is kept for them: each is shown the newest snapshot when its channel has room for one, so of
// those between two looks a slow frontend sees none, and core has no queue. What looks as before is not shown again.
import { isDeepStrictEqual } from 'node:util'
import { BusError } from '@sallyport/protocol'
import type { Channel } from '../../rpc/channel.js'

// What an actor is to the bus: the part of xstate's `Actor` that it uses; and what frontends see of a snapshot unless the app
// says more. A machine's context is the app's own: nothing of it leaves core by itself.

/** What `createActor` of xstate gives. */
export interface ActorLike<Snapshot = unknown, Event extends { type: string } = never> {
  start(): unknown
  stop(): unknown
  send(event: Event): void
  getSnapshot(): Snapshot
  subscribe(observer: { next(): void; error(error: unknown): void; complete(): void }): unknown
  /** A machine names its events. */
  readonly logic?: unknown
}

/** A snapshot as frontends see it by default: no context, no output and no error. */
export interface SnapshotView<Value = unknown> {
  status: 'active' | 'done' | 'error' | 'stopped'
  /** Of a machine, its state: `'green'`, or an object of nested ones. `null` of other actors. */
  value: Value
  tags: string[]
}

export type ValueOf<Snapshot> = Snapshot extends { value: infer Value } ? Value : null

interface MachineSnapshot {
  status: SnapshotView['status']
  value?: unknown
  tags?: Iterable<string>
}

export function getView<Snapshot>(snapshot: Snapshot): SnapshotView<ValueOf<Snapshot>> {
  const { status, value = null, tags = [] } = snapshot as MachineSnapshot
  return { status, value: value as ValueOf<Snapshot>, tags: [...tags] }
}

export const isActive = (actor: ActorLike): boolean => (actor.getSnapshot() as MachineSnapshot).status === 'active'

/** A message to who follows: the actor as it is now, or that it has ended. A channel that ends before was cut off. */
export type Followed<View> = { snapshot: View } | { ended: true }

/** Subscriptions of one frontend to one actor. */
const MAX_FOLLOWED = 16

export class Followers<Snapshot, View> {
  readonly #actor: ActorLike<Snapshot>
  readonly #select: (snapshot: Snapshot) => View
  readonly #waiting = new Set<() => void>()
  /** By label. */
  readonly #counts = new Map<string, number>()
  #seen: { snapshot: Snapshot; view: View; version: number } | undefined

  constructor(actor: ActorLike<Snapshot>, select: (snapshot: Snapshot) => View) {
    this.#actor = actor
    this.#select = select
  }

  /** The snapshot is another one. It is not looked at before somebody has room for it. */
  changed(): void {
    for (const wake of [...this.#waiting]) wake()
  }

  /**
   * Shows the actor to the frontend with this label, until the one or the other ends.
   *
   * @throws BusError `Overloaded`, and what `select` throws of the snapshot of now
   */
  add(label: string, channel: Channel<Followed<View>>): void {
    const count = this.#counts.get(label) ?? 0
    if (count === MAX_FOLLOWED) {
      throw new BusError('Overloaded', `A frontend follows an actor ${MAX_FOLLOWED} times at most`)
    }
    this.#look()
    this.#counts.set(label, count + 1)
    void this.#show(channel).then(() => this.#remove(label))
  }

  /** What fails later, `select` too, cuts the channel off: who follows again is told why. */
  async #show(channel: Channel<Followed<View>>): Promise<void> {
    const { signal } = channel
    try {
      for (let last = 0; !signal.aborted;) {
        const { view, version } = this.#look()
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

  #remove(label: string): void {
    const left = (this.#counts.get(label) ?? 1) - 1
    if (left === 0) this.#counts.delete(label)
    else this.#counts.set(label, left)
  }

  /** Of each snapshot one view is made, for all. */
  #look(): { view: View; version: number } {
    const snapshot = this.#actor.getSnapshot()
    const seen = this.#seen
    if (seen?.snapshot === snapshot) return seen
    const view = this.#select(snapshot)
    const same = seen !== undefined && isDeepStrictEqual(view, seen.view)
    const looked = { snapshot, view, version: (seen?.version ?? 0) + (same ? 0 : 1) }
    this.#seen = looked
    return looked
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
