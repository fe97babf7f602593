// Whether this machine has a wall for processes.
import { bubblewrap, landlock, LauncherUnavailable } from '@sallyport/core/launchers'
import type { Arm } from '../scenarios/scenario.js'
import { lacksProcessTree } from '../run/process-tree.js'

/** Leaves the arm out where there is no wall. */
export const withWall = (arm: Arm): Arm => ({ ...arm, lacks: lacksWall })

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
