// The wall of a frontend's process: which launcher starts it, and whether its network is closed.
import { BusError } from '@sallyport/protocol/internal'
import { findWall, type FoundWall } from '../../launchers/find-wall.js'
import { type Launcher, LauncherUnavailable } from '../../launchers/launcher.js'
import { CAN_DENY_NET } from '../workers/sandbox.js'
import type { ProcessSandbox } from './types.js'

/** Ways to close the network of a frontend if nothing does. */
export const NET_REMEDIES: string =
  'Run the host with Node.js 25 or later, use sandbox: "process" with bubblewrap (apt-get install bubblewrap), ' +
  'use sandbox: "ses", or start the host without a network, for example in a container with --network none'

interface WallOptions {
  wall: NonNullable<ProcessSandbox['wall']>
  tmp?: number | undefined
}

/**
 * Returns the launcher of a process, or `undefined` if it has no wall.
 *
 * @param place - the place of the sandbox, for error texts
 * @throws {LauncherUnavailable} for `wall: 'required'` if no launcher works
 * @throws {BusError} InvalidParams for a limit that needs a wall
 */
export function resolveWall(
  place: string,
  { wall, tmp }: WallOptions,
  find: () => FoundWall = findWall,
): Launcher | undefined {
  const isNamed = wall === 'auto' || wall === 'required'
  const { launcher, failures } = isNamed ? find() : { launcher: wall === 'none' ? undefined : wall, failures: [] }
  if (wall === 'required' && !launcher) {
    throw new LauncherUnavailable(`${place}.wall must not be "required": ${failures.join('; ')}`)
  }
  if (tmp !== undefined && !launcher?.limitsTmp) {
    const reason = launcher ? `${launcher.name} does not limit it` : 'the process has no wall that limits it'
    throw new BusError('InvalidParams', `${place}.tmp must be left out: ${reason}. Use a wall of bubblewrap`)
  }
  return launcher
}

/** @throws {BusError} InvalidParams for `net: false` if nothing closes the network */
export function checkNet(place: string, sandbox: object, launcher: Launcher | undefined): void {
  if (!('net' in sandbox) || sandbox.net !== false || isNetClosed(launcher)) return
  const text = `${place}.net must not be false: Node.js before 25 cannot deny the network. ${NET_REMEDIES}`
  throw new BusError('InvalidParams', text)
}

/** Returns whether a frontend without `net: true` has no network. */
export const isNetClosed = (launcher: Launcher | undefined): boolean => CAN_DENY_NET || launcher?.closesNetwork === true
