// An actor of xstate's as a plugin of core, for `@sallyport/core/xstate`. It imports nothing of xstate: an actor is known by
// its shape, so whatever version made it is the app's choice.
export {
  actorPlugin,
  type ActorCommands,
  type ActorPlugin,
  type ActorPluginOptions,
} from './actor-plugin/actor-plugin.js'
export type { ActorLike, SnapshotView } from './actor-plugin/actor.js'
export type { Followed } from './actor-plugin/followers.js'
