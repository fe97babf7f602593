// The wall of a frontend's process: the strongest launcher that works on this machine, and whether the network is closed by it.
import { BusError } from '@sallyport/protocol/internal/errors'
import { loadOnce } from '@sallyport/protocol/internal/util'
import { CAN_DENY_NET } from '../permission-model/module-code.js'
import { type Launcher, LauncherUnavailable } from './launcher.js'
import { bubblewrap } from './bubblewrap.js'
import { landlock } from './landlock.js'

export interface FoundWall {
  /** `undefined` if none works. */
  readonly launcher: Launcher | undefined
  /** Why stronger launchers don't work, with what to do about it. */
  readonly failures: readonly string[]
}

/** Tries the launchers once, beside other work: each attempt takes up to 50 ms. @throws as `tryCommand` */
export const findWall: () => Promise<FoundWall> = loadOnce(() => tryEach([bubblewrap, landlock]))

/** @param launchers - functions that throw if their launcher does not work, the strongest first */
export async function tryEach(launchers: readonly (() => Promise<Launcher>)[]): Promise<FoundWall> {
  const failures: string[] = []
  for (const create of launchers) {
    try {
      return { launcher: await create(), failures }
    } catch (error) {
      if (!(error instanceof LauncherUnavailable)) throw error
      failures.push(error.message)
    }
  }
  return { launcher: undefined, failures }
}

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
