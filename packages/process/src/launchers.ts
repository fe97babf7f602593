// The entry `@sallyport/process/internal/launchers`: walls around the process of a frontend, and around programs.
export { bubblewrap, type BubblewrapOptions } from './launchers/bubblewrap.js'
export { deno, type DenoOptions } from './launchers/deno.js'
export { docker, type DockerOptions } from './launchers/docker.js'
export { landlock, type LandlockOptions } from './launchers/landlock.js'
export {
  type Launch,
  type LaunchInfo,
  type Launcher,
  LauncherUnavailable,
  type LaunchLimits,
} from './launchers/launcher.js'
export {
  type DeniedHost,
  type Program,
  type ProgramExit,
  type ProgramOptions,
  startProgram,
} from './programs/start-program.js'
export { Broker, type BrokerStream } from './network/broker.js'
export { parseHostPattern } from './network/host-list.js'
