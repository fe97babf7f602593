// Entry of `@sallyport/core/launchers`: walls around the process of a frontend.

export { bubblewrap, type BubblewrapOptions } from './launchers/bubblewrap.js'
export { landlock, type LandlockOptions } from './launchers/landlock.js'
export {
  type Launch,
  type LaunchInfo,
  type Launcher,
  LauncherUnavailable,
  type LaunchLimits,
} from './launchers/launcher.js'
