// The entry `@sallyport/protocol/internal/actor`. The other entries do not load xstate.
export {
  createWorkerMachine,
  startWorkerActor,
  type LifecycleEvent,
  type LifecycleState,
  type WorkerActor,
  type WorkerLifecycle,
} from './worker/lifecycle.js'
