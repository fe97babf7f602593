// The strongest launcher that works on this machine.
import { bubblewrap } from './bubblewrap.js'
import { landlock } from './landlock.js'
import { type Launcher, LauncherUnavailable } from './launcher.js'

export interface FoundWall {
  /** `undefined` if none works. */
  readonly launcher: Launcher | undefined
  /** Why stronger launchers don't work, with what to do about it. */
  readonly failures: readonly string[]
}

let found: FoundWall | undefined

/** Tries the launchers once. Each attempt takes up to 50 ms of this thread. */
export const findWall = (): FoundWall => (found ??= tryEach([bubblewrap, landlock]))

/** @param launchers - functions that throw if their launcher does not work, the strongest first */
export function tryEach(launchers: readonly (() => Launcher)[]): FoundWall {
  const failures: string[] = []
  for (const create of launchers) {
    try {
      return { launcher: create(), failures }
    } catch (error) {
      if (!(error instanceof LauncherUnavailable)) throw error
      failures.push(error.message)
    }
  }
  return { launcher: undefined, failures }
}
