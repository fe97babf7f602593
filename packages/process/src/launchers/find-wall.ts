// The strongest launcher that works on this machine.
import { loadOnce } from '@sallyport/protocol/internal/util'
import { type Attempt, makeAttempt } from './attempt.js'
import { tryBubblewrap } from './bubblewrap.js'
import { tryLandlock } from './landlock.js'
import { type Launcher, LauncherUnavailable } from './launcher.js'

export interface FoundWall {
  /** `undefined` if none works. */
  readonly launcher: Launcher | undefined
  /** Why stronger launchers don't work, with what to do about it. */
  readonly failures: readonly string[]
}

/** Tries the launchers once, beside other work: each attempt takes up to 50 ms. @throws as `makeAttempt` */
export const findWall: () => Promise<FoundWall> = loadOnce(() => tryEach([tryBubblewrap, tryLandlock]))

/** @param launchers - functions that throw if their launcher does not work, the strongest first */
export async function tryEach(launchers: readonly (() => Attempt)[]): Promise<FoundWall> {
  const failures: string[] = []
  for (const create of launchers) {
    try {
      return { launcher: await makeAttempt(create()), failures }
    } catch (error) {
      if (!(error instanceof LauncherUnavailable)) throw error
      failures.push(error.message)
    }
  }
  return { launcher: undefined, failures }
}
