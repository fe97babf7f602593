// Entry of `@sallyport/core/launchers`: walls around the process of a frontend, and around programs.

export { bubblewrap, type BubblewrapOptions } from './host/sandboxes/process/launchers/bubblewrap.js'
export { landlock, type LandlockOptions } from './host/sandboxes/process/launchers/landlock.js'
export { createRestartPolicy, type RestartPolicy } from './host/supervision/policy.js'
export {
  type DeniedHost,
  type Program,
  type ProgramExit,
  type ProgramOptions,
  startProgram,
} from './host/sandboxes/process/programs/start-program.js'
export {
  type Launch,
  type LaunchInfo,
  type Launcher,
  LauncherUnavailable,
  type LaunchLimits,
} from './host/sandboxes/process/launchers/launcher.js'
