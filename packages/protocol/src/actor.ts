// The entry `@sallyport/protocol/actor`: the lifecycle of a worker as an xstate actor. The other entries need no xstate.
export {
  createWorkerMachine,
  startWorkerActor,
  type LifecycleEvent,
  type LifecycleState,
  type WorkerActor,
  type WorkerLifecycle,
} from './worker/lifecycle.js'
