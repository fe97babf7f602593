// Entry of `@sallyport/core/launchers`: walls around the process of a frontend, and around programs.

export {
  bubblewrap,
  type BubblewrapOptions,
  deno,
  type DenoOptions,
  docker,
  type DockerOptions,
  landlock,
  type LandlockOptions,
  type Launcher,
  type LaunchInfo,
  LauncherUnavailable,
  type Program,
  type ProgramOptions,
  startProgram,
} from '@sallyport/process/internal/launchers'
