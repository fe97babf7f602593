// Whether this machine has a wall for processes.

// The base of a comparison can be older than this entry.
const launchers = await import('@sallyport/core/launchers').catch(() => undefined)

/** Returns why no launcher works here. */
export function lacksWall(): string | undefined {
  if (!launchers) return 'this version has no walls'
  const { bubblewrap, landlock, LauncherUnavailable } = launchers
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
