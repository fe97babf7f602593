// The wall of a frontend's process: which launcher starts it, and whether its network is closed.
import { BusError } from '@sallyport/protocol/internal/errors'
import { CAN_DENY_NET } from '../permission-model/net.js'
import { findWall, type FoundWall } from './find-wall.js'
import { type Launcher, LauncherUnavailable } from './launcher.js'

export interface WallOptions {
  wall: 'auto' | 'required' | 'none' | Launcher
  tmp?: number | undefined
  write?: readonly URL[] | undefined
}

/**
 * Finds the launcher of a process, which is `undefined` if it has no wall.
 *
 * @param place - the place of the sandbox, for error texts
 * @throws {LauncherUnavailable} for `wall: 'required'` if no launcher works
 * @throws {BusError} InvalidParams for a limit that needs a wall
 */
export async function resolveWall(
  place: string,
  { wall, tmp, write = [] }: WallOptions,
  find: () => Promise<FoundWall> = findWall,
): Promise<FoundWall> {
  const isNamed = wall === 'auto' || wall === 'required'
  const found = isNamed ? await find() : { launcher: wall === 'none' ? undefined : wall, failures: [] }
  const { launcher, failures } = found
  if (wall === 'required' && !launcher) {
    throw new LauncherUnavailable(`${place}.wall must not be "required": ${failures.join('; ')}`)
  }
  if (tmp !== undefined && !launcher?.limitsTmp) {
    const reason = launcher ? `${launcher.name} does not limit it` : 'the process has no wall that limits it'
    throw new BusError('InvalidParams', `${place}.tmp must be left out: ${reason}. Use a wall of bubblewrap`)
  }
  if (write.length > 0 && launcher && !launcher.bindsWrites) {
    const text = `${launcher.name} cannot restrict writes to directories. Use a wall of bubblewrap, or wall: "none"`
    throw new BusError('InvalidParams', `${place}.write must be left out: ${text}`)
  }
  return found
}

/** Returns whether a frontend without `net: true` has no network. */
export const isNetClosed = (launcher: Launcher | undefined): boolean => CAN_DENY_NET || launcher?.closesNetwork === true
