// The entry `@sallyport/protocol/actor`: the lifecycle of a worker as an xstate actor. The other entries need no xstate.
export {
  createWorkerMachine,
  startWorkerActor,
  type LifeEvent,
  type LifeState,
  type WorkerActor,
  type WorkerLife,
} from './worker/lifecycle.js'
