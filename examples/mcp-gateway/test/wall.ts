import { LauncherUnavailable, startProgram } from '@sallyport/core/launchers'

/** True if this machine has the wall that the servers need. */
export const hasWall = await startProgram({ command: 'true' }).then(
  ({ exited }) => exited.then(() => true),
  (error: unknown) => {
    if (error instanceof LauncherUnavailable) return false
    throw error
  },
)
