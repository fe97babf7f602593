// The type of a remote actor, read from the type of the core that it lives in.
import type { RemoteActor } from './remote-actor.js'
import type { CallParameters, ChannelFor, CoreLike } from './typed-commands.js'

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
