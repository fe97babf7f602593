// The walls of processes that this machine can build.
import { bubblewrap, landlock, LauncherUnavailable } from '@sallyport/core/launchers'
import { lacksProcessTree } from '../run/process-tree.js'

/** Returns why this machine cannot measure processes in a wall. */
export function lacksWall(): string | undefined {
  const failures: string[] = []
  for (const create of [bubblewrap, landlock]) {
    try {
      create()
      return lacksProcessTree()
    } catch (error) {
      if (!(error instanceof LauncherUnavailable)) throw error
      failures.push(error.message)
    }
  }
  return failures.join('; ')
}
