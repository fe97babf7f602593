// Entry of `@sallyport/core/launchers`: walls around the process of a frontend, and around programs.

export {
  bubblewrap,
  type BubblewrapOptions,
  landlock,
  type LandlockOptions,
  type Launcher,
  LauncherUnavailable,
  type Program,
  type ProgramOptions,
  startProgram,
} from '@sallyport/process/internal/launchers'
