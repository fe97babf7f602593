// The wall of a frontend's process: the strongest launcher that works on this machine, and whether the network is closed by it.
import { existsSync } from 'node:fs'
import { BusError } from '@sallyport/protocol/internal/errors'
import { loadOnce } from '@sallyport/protocol/internal/util'
import { CAN_DENY_NET, OPEN_NET } from '../permission-model/module-code.js'
import { type Launcher, LauncherUnavailable, type LaunchLimits } from './launcher.js'
import { type LauncherKind, LAUNCHERS } from './table.js'

export interface FoundWall {
  /** `undefined` if none works. */
  readonly launcher: Launcher | undefined
  /** Why the launcher is not enough for what is required. */
  readonly weakness?: string | undefined
  /** Why stronger launchers don't work, with what to do about it. */
  readonly failures: readonly string[]
}

const AUTOMATIC = LAUNCHERS.filter(({ isAutomatic }) => isAutomatic)

/** Tries the launchers once, beside other work: each attempt takes up to 50 ms. @throws as `tryCommand` */
export const findWall: () => Promise<FoundWall> = loadOnce(() => tryEach(AUTOMATIC))
/** For code as text and scripts. */
export const findTextWall: () => Promise<FoundWall> = loadOnce(async () => {
  const found = await tryEach(AUTOMATIC.filter(({ noText }) => noText === undefined))
  const reasons = found.launcher ? [] : AUTOMATIC.flatMap(({ noText, program }) => (program() && noText) ?? [])
  return { ...found, failures: [...found.failures, ...reasons] }
})

/** @param kinds - the strongest first */
export async function tryEach(
  kinds: readonly Pick<LauncherKind, 'name' | 'call' | 'weakness' | 'create'>[],
): Promise<FoundWall> {
  const failures: string[] = []
  for (const { name, call, weakness, create } of kinds) {
    try {
      const launcher = await create()
      const text = `${name} works here, but ${weakness}. If that is enough, pass it by name: wall: ${call}`
      return { launcher, weakness: weakness && text, failures }
    } catch (error) {
      if (!(error instanceof LauncherUnavailable)) throw error
      failures.push(error.message)
    }
  }
  return { launcher: undefined, failures }
}

export interface WallOptions extends LaunchLimits {
  wall: 'auto' | 'required' | 'none' | Launcher
  read?: readonly URL[] | undefined
  write?: readonly URL[] | undefined
}

/**
 * Finds the launcher of a process, which is `undefined` if it has no wall.
 *
 * @param place - the place of the sandbox, for error texts
 * @throws {LauncherUnavailable} for `wall: 'required'` if no launcher of the kernel works
 * @throws {BusError} InvalidParams for a limit that nothing holds here
 */
export async function resolveWall(
  place: string,
  { wall, read = [], write = [], ...limits }: WallOptions,
  find: () => Promise<FoundWall> = findWall,
): Promise<FoundWall> {
  const isNamed = wall === 'auto' || wall === 'required'
  const found: FoundWall = isNamed ? await find() : { launcher: wall === 'none' ? undefined : wall, failures: [] }
  const { launcher, weakness, failures } = found
  if (wall === 'required' && (!launcher || weakness !== undefined)) {
    const reasons = weakness === undefined ? failures : [...failures, weakness]
    throw new LauncherUnavailable(`${place}.wall must not be "required": ${reasons.join('; ')}`)
  }
  for (const name of ['memory', 'cpu', 'pids', 'tmp'] as const) {
    const reason = limits[name] === undefined ? undefined : explainUnlimited(name, launcher)
    if (reason !== undefined) throw new BusError('InvalidParams', `${place}.${name} must be left out: ${reason}`)
  }
  if (write.length > 0 && launcher && !launcher.bindsWrites) {
    const text = `the launcher ${quote(launcher)} cannot restrict writes to directories`
    const remedy = 'Use a wall of bubblewrap, wall: "none", or a launcher with "bindsWrites"'
    throw new BusError('InvalidParams', `${place}.write must be left out: ${text}. ${remedy}`)
  }
  const foreign = read.length > 0 ? explainForeignFiles(launcher) : undefined
  if (foreign !== undefined) throw new BusError('InvalidParams', `${place}.read must be left out: ${foreign}`)
  return found
}

/** Returns why a process has no files of this machine, or `undefined` if it has. */
export function explainForeignFiles(launcher: Launcher | undefined): string | undefined {
  if (!launcher?.isElsewhere || launcher.bindsWrites) return undefined
  const text = `the launcher ${quote(launcher)} has the process elsewhere, without files of this machine`
  return `${text}. Let its "launch" say what is read there, or bind the paths of "info" there, and set "bindsWrites"`
}

/** Returns why a limit does not hold, or `undefined` if it does. */
function explainUnlimited(limit: keyof LaunchLimits, launcher: Launcher | undefined): string | undefined {
  if (launcher?.holds?.includes(limit)) return undefined
  if (limit === 'tmp') {
    if (!launcher) return 'the process has no wall that limits it. Use a wall of bubblewrap'
    return `the launcher ${quote(launcher)} does not limit it. Use a wall of bubblewrap, or a launcher with "tmp" in "holds"`
  }
  if (launcher?.isElsewhere) {
    const text = `the launcher ${quote(launcher)} has the process elsewhere, and no "${limit}" in "holds"`
    return `${text}. Limit it there by "info.limits" and list it, or use docker()`
  }
  return existsSync('/proc/self/stat') ? undefined : 'it needs Linux, or a launcher that holds it, such as docker()'
}

/** Returns why a frontend without `net: true` has a network, or `undefined` if it has none. */
export function explainOpenNet(launcher: Launcher | undefined): string | undefined {
  if (CAN_DENY_NET || launcher?.closesNetwork) return undefined
  if (!launcher) return OPEN_NET
  const text = `Node.js before 25 cannot deny the network, and the launcher ${quote(launcher)} does not say that it does`
  return `${text}. Close it there unless "info.net" is true, and set "closesNetwork"`
}

const quote = ({ name }: Launcher): string => JSON.stringify(name)
