// Entry of `@sallyport/core/launchers`: walls around the process of a frontend, and around programs.

export {
  bubblewrap,
  type BubblewrapOptions,
  type DeniedHost,
  landlock,
  type LandlockOptions,
  type Launch,
  type Launcher,
  LauncherUnavailable,
  type LaunchInfo,
  type LaunchLimits,
  type Program,
  type ProgramExit,
  type ProgramOptions,
  startProgram,
} from '@sallyport/process/internal/launchers'
export { createRestartPolicy, type RestartPolicy } from './host/supervision/policy.js'
