// The entry `@sallyport/process/internal/doctor`: what `sallyport doctor` prints.
export { type Diagnosis, examineMachine, type WallReport } from './doctor/examine-machine.js'
export { RECOMMENDED } from './doctor/list-sandboxes.js'
