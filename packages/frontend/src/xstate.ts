// An actor of xstate's that lives in core, as a frontend holds it, for `@sallyport/frontend/xstate`. It imports nothing of
// xstate: it has the shape of an actor, which is all that `useSelector` and the like ask for.

export { remoteActor, type RemoteActor, type RemoteActorOptions } from './actor/remote-actor.js'
export type { RemoteActorOf } from './actor/remote-actor.js'
