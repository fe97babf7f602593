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

export function viewOf<Snapshot>(snapshot: Snapshot): SnapshotView<ValueOf<Snapshot>> {
  const { status, value = null, tags = [] } = snapshot as MachineSnapshot
  return { status, value: value as ValueOf<Snapshot>, tags: [...tags] }
}

export const isActive = (actor: ActorLike): boolean => (actor.getSnapshot() as MachineSnapshot).status === 'active'
