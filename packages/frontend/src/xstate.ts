// Follows XState actors that run in core. Imports nothing from XState: a remote actor has the shape of an actor, which is all that
// `useSelector` and similar functions need.

export { remoteActor, type RemoteActor, type RemoteActorOf, type RemoteActorOptions } from './actor/remote-actor.js'
