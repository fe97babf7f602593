// Entry `@sallyport/core/xstate`: an XState actor as a plugin of core. XState itself is not imported: any version of it can make the actor.
export { actorPlugin, type ActorPlugin, type ActorPluginOptions } from './plugins/actor.js'
export type { ActorLike, SnapshotView } from './plugins/actor.js'
