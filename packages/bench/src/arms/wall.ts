// Whether this machine has a wall for processes.
import { bubblewrap, landlock, LauncherUnavailable } from '@sallyport/core/launchers'

/** Returns why no launcher works here. */
export function lacksWall(): string | undefined {
  const failures: string[] = []
  for (const create of [bubblewrap, landlock]) {
    try {
      create()
      return undefined
    } catch (error) {
      if (!(error instanceof LauncherUnavailable)) throw error
      failures.push(error.message)
    }
  }
  return `no wall works here (${failures.join('; ')})`
}
