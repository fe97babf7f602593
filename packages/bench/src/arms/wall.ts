// Whether this machine has a wall for processes.
import { bubblewrap, landlock, LauncherUnavailable } from '@sallyport/core/launchers'
import { lacksProcessTree } from '../run/process-tree.js'

/** Returns why no launcher works here, or why its processes cannot be measured. */
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
  return `no wall works here (${failures.join('; ')})`
}
