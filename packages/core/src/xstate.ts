// An actor of xstate's as a plugin of core, for `@sallyport/core/xstate`. It imports nothing of xstate: an actor is known by
// its shape, so whatever version made it is the app's choice.

export { actorPlugin, type ActorCommands, type ActorPlugin, type ActorPluginOptions } from './plugins/actor/plugin.js'
export type { ActorLike, SnapshotView } from './plugins/actor/followers.js'
export type { Followed } from './plugins/actor/followers.js'
